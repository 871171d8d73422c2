"""Addresses of stores: one that holds a credential, or that no backups can be read from, is refused."""

from pathlib import Path

import pytest

from fixtures.shelf.stores.address import Address, AddressError, parse_backups


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("s3://KEY:SECRETWORD@bucket/x", "holds a credential"),
        ("sftp://user:SECRETWORD@host/x", "holds a credential"),
        ("https://user@host/x", "holds a credential"),
        ("https://host/x.dump?X-Amz-Signature=SECRETWORD", r"goes on after a \?"),
        ("http://backups.example/x", "read from this machine alone"),
        ("ftp://host/x", "cannot be read from ftp://"),
        ("s3:///x", "names no bucket"),
        ("https://[bad/x", "cannot be read"),
    ],
)
def test_an_address_that_is_no_place_for_backups_is_refused_and_not_repeated(url: str, says: str) -> None:
    with pytest.raises(AddressError, match=says) as refused:
        parse_backups(url)
    assert "SECRETWORD" not in str(refused.value)


def test_a_file_url_is_a_folder_and_a_bucket_keeps_its_case() -> None:
    assert parse_backups("file:///var/back%20ups") == Path("/var/back ups")
    address = parse_backups("s3://Bucket_A/x")
    assert isinstance(address, Address)
    assert address.shown == "s3://Bucket_A/x"
    assert parse_backups("backups") == Path("backups").absolute()
