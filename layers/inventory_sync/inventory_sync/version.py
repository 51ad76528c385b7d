"""Which release this is: here, in CHANGELOG.md and in the template's metadata."""

VERSION = "0.1.0"
USER_AGENT = f"inventory-sync/{VERSION}"
