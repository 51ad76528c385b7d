"""A bucket of the ERP's for each test."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.aws import aws_session
from tests.unit.adapters.erp.csv_files import Files


@pytest.fixture
def files() -> Iterator[Files]:
    with mock_aws():
        client = aws_session().client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="erp")
        yield Files(client)
