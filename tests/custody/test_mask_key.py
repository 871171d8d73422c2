"""The mask key: made once, read only where its owner alone can, and another for each application."""

from pathlib import Path

import pytest

from fixtures.custody.key_files import KeyFault
from fixtures.custody.mask_key import make_mask_key, passing_mask_key, read_mask_key


def test_a_kept_key_masks_the_same_each_time_and_otherwise_for_another_application(tmp_path: Path) -> None:
    file = make_mask_key(tmp_path / "keys")
    assert file.stat().st_mode & 0o777 == 0o600
    once, again = read_mask_key(file), read_mask_key(file)
    assert once == again
    assert once.masking.kept
    assert once.of("igny8") == again.of("igny8") != once.of("shop")
    assert once.masking.key_id not in (once.secret.hex(), once.of("igny8").hex())
    assert "secret" not in repr(once)
    other = read_mask_key(make_mask_key(tmp_path / "others"))
    assert other.masking.key_id != once.masking.key_id
    assert passing_mask_key().of("igny8") != passing_mask_key().of("igny8")
    assert not passing_mask_key().masking.kept


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    file = make_mask_key(tmp_path)
    with pytest.raises(KeyFault, match="is there already"):
        make_mask_key(tmp_path)
    file.chmod(0o640)
    with pytest.raises(KeyFault, match="mode 640: others can read it"):
        read_mask_key(file)
    file.chmod(0o600)
    file.write_text("short\n")
    with pytest.raises(KeyFault, match="64 hexadecimal digits"):
        read_mask_key(file)
    with pytest.raises(KeyFault, match="cannot be read: No such file"):
        read_mask_key(tmp_path / "none")
