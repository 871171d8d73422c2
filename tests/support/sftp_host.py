"""Serves SFTP in a process of its own: `python -m tests.support.sftp_host FOLDER KEYS` prints its port."""

import asyncio
import sys
from pathlib import Path

import asyncssh


async def main(folder: Path, keys: Path) -> None:
    host, user = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    user.write_private_key(keys / "id")
    (keys / "id").chmod(0o600)
    user.write_public_key(keys / "authorized")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host],
        authorized_client_keys=str(keys / "authorized"),
        sftp_factory=lambda connection: asyncssh.SFTPServer(connection, chroot=str(folder).encode()),
    )
    public = host.export_public_key().decode().strip()
    (keys / "known_hosts").write_text(f"[127.0.0.1]:{server.get_port()} {public}\n")
    print(server.get_port(), flush=True)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
