"""Keys for the tests, made on the spot: age identities, and a GNUPGHOME with one key in it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyrage


@dataclass(frozen=True)
class AgeKey:
    """An identity in a file of its own, and its public half."""

    file: Path
    recipient: str


def age_key(folder: Path, name: str = "identity") -> AgeKey:
    identity = pyrage.x25519.Identity.generate()
    file = folder / name
    file.write_text(f"# a test's key\n{identity}\n")
    file.chmod(0o600)
    return AgeKey(file, str(identity.to_public()))


def gpg_home(folder: Path, passphrase: str = "") -> tuple[Path, str]:
    """A new GNUPGHOME and its key's fingerprint; no agent is left running. Its path must be short for a socket."""
    folder.mkdir(mode=0o700)
    environment = os.environ | {"GNUPGHOME": str(folder)}
    making = ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase]
    subprocess.run(
        [*making, "--quick-gen-key", "drill@example.org", "default", "default", "never"],
        env=environment,
        check=True,
        capture_output=True,
    )
    listed = subprocess.run(
        ["gpg", "--batch", "--with-colons", "--list-keys"], env=environment, check=True, capture_output=True, text=True
    )
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=environment, check=True)
    fingerprint = next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr"))
    return folder, fingerprint
