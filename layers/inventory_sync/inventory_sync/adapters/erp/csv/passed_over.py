"""What was found in the ERP's bucket and not used, said once for each version of a file."""

from inventory_sync.adapters.erp.csv.bucket import Found
from inventory_sync.ports.observe import Observer

_FAULTS_MAX = 20
"""Log lines for one version of a file."""


class PassedOver:
    """Tells the operator by the metric ErpFilesPassedOver and a log line."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._told: dict[str, tuple[str, set[str]]] = {}

    def say(self, file: Found, why: str) -> None:
        """`why` names the place in the file and the remedy. A repeat says nothing."""
        etag, faults = self._told.get(file.key, ("", set()))
        if etag != file.etag:
            self._observer.count("ErpFilesPassedOver")
            faults = set()
            self._told[file.key] = (file.etag, faults)
        if why not in faults and len(faults) < _FAULTS_MAX:
            faults.add(why)
            self._observer.log("erp file passed over", file=file.key, why=why)
