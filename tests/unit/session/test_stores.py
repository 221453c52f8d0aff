"""Where sessions are kept: in memory, sealed in a file, and in a plain file that nobody else may touch."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from lighttls import ConfigurationError, FileSessionStore, MemorySessionStore, aead_seal
from lighttls.session import files
from support import require

KEY, OTHER_KEY = bytes(range(32)), bytes(32)


@pytest.fixture(params=["memory", "sealed", "plain"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "memory":
        return MemorySessionStore()
    if request.param == "plain":
        require_posix()
        return FileSessionStore.insecure_plaintext(tmp_path / "sessions")
    return FileSessionStore(tmp_path / "sessions", *aead_seal(KEY))


def require_posix() -> None:
    if not hasattr(os, "geteuid"):
        pytest.skip(f"POSIX permissions; {require.NO_COMMAND_BRINGS}")


def test_store_gives_back_what_was_saved_last(store: Any) -> None:
    assert store.load(b"a") is None
    store.save(b"a", b"1")
    store.save(b"b", b"2")
    store.save(b"a", b"3")
    assert (store.load(b"a"), store.load(b"b"), store.load(b"c")) == (b"3", b"2", None)
    store.delete(b"a")
    store.delete(b"a")
    assert (store.load(b"a"), store.load(b"b")) == (None, b"2")


def test_store_is_bounded_and_forgets_the_oldest(store: Any) -> None:
    for number in range(70):
        store.save(b"%d" % number, b"session")
    assert [number for number in range(70) if store.load(b"%d" % number)] == list(range(6, 70))


def test_memory_store_forgets_what_was_used_longest_ago() -> None:
    store = MemorySessionStore(2)
    store.save(b"a", b"1")
    store.save(b"b", b"2")
    assert store.load(b"a") == b"1"
    store.save(b"c", b"3")
    assert store.load(b"b") is None
    assert (store.load(b"a"), len(store)) == (b"1", 2)


def test_memory_store_needs_room() -> None:
    with pytest.raises(ConfigurationError, match="max_entries"):
        MemorySessionStore(0)


def test_repr_of_a_store_shows_no_session(store: Any) -> None:
    store.save(b"key", b"secret")
    assert "secret" not in repr(store)


def test_threads_share_a_store(store: Any) -> None:
    def work(name: bytes) -> None:
        for number in range(20):
            store.save(name, b"%d" % number)
            assert store.load(name) == b"%d" % number

    threads = [threading.Thread(target=work, args=(b"%d" % n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.load(b"%d" % n) for n in range(4)] == [b"19"] * 4


# ---- the file ----------------------------------------------------------------------------------


def sealed(path: Path, key: bytes = KEY) -> FileSessionStore:
    return FileSessionStore(path, *aead_seal(key))


def test_file_is_read_by_another_store_with_the_same_key_only(tmp_path: Path) -> None:
    path = tmp_path / "sessions"
    sealed(path).save(b"a", b"the session")
    assert b"the session" not in path.read_bytes()
    assert sealed(path).load(b"a") == b"the session"
    with pytest.raises(ConfigurationError, match="altered, or sealed otherwise"):
        sealed(path, OTHER_KEY).load(b"a")


def test_file_that_cannot_be_unsealed_is_replaced_by_the_next_save_and_not_touched_before(tmp_path: Path) -> None:
    path = tmp_path / "sessions"
    path.write_bytes(b"something else")
    store = sealed(path)
    store.delete(b"a")
    assert path.read_bytes() == b"something else"
    store.save(b"a", b"1")
    assert sealed(path).load(b"a") == b"1"


def test_altered_or_cut_file_is_none(tmp_path: Path, provider: Any) -> None:
    path = tmp_path / "sessions"
    store = FileSessionStore(path, *aead_seal(KEY, provider))
    store.save(b"a", bytes(40_000))  # of several records
    whole = path.read_bytes()
    assert store.load(b"a") == bytes(40_000)
    record = 5 + 8 + 16384 + 16
    for place in (0, 1, 32, 33, 36, 40, 50, 33 + record, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
        with pytest.raises(ConfigurationError):
            store.load(b"a")
    for length in (0, 1, 20, 33, 40, 33 + record, 33 + 2 * record, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ConfigurationError):
            store.load(b"a")
    swapped = whole[:33] + whole[33 + record : 33 + 2 * record] + whole[33 : 33 + record] + whole[33 + 2 * record :]
    path.write_bytes(swapped)
    with pytest.raises(ConfigurationError):
        store.load(b"a")


def test_engines_read_each_others_files(tmp_path: Path, provider: Any) -> None:
    from lighttls.crypto import by_name

    path = tmp_path / "sessions"
    FileSessionStore(path, *aead_seal(KEY, provider)).save(b"a", b"1")
    assert FileSessionStore(path, *aead_seal(KEY, by_name("pure"))).load(b"a") == b"1"


def test_same_content_never_makes_the_same_bytes(tmp_path: Path) -> None:
    seal, unseal = aead_seal(KEY)
    assert seal(b"x") != seal(b"x")
    assert unseal(seal(b"")) == b""


def test_sealed_data_without_its_last_record_is_refused() -> None:
    """Every record that is left is whole: only the length inside tells."""
    seal, unseal = aead_seal(KEY)
    sealed = seal(bytes(40_000))
    ends = [33]  # behind head and salt
    while ends[-1] < len(sealed):
        ends.append(ends[-1] + 5 + int.from_bytes(sealed[ends[-1] + 3 : ends[-1] + 5], "big"))
    assert len(ends) > 2
    assert ends[-1] == len(sealed)
    with pytest.raises(ConfigurationError, match="cut short"):
        unseal(sealed[: ends[-2]])


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ConfigurationError, match="32"):
        aead_seal(bytes(length))


def test_sealing_is_not_optional(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="seal and unseal"):
        FileSessionStore(tmp_path / "sessions", None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"LTSESS\0\1", b"LTSESS\0\2\0\0\0", b"LTSESS\0\1\0\0\1x", b"x" * 100])
def test_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sessions"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="session file"):
        FileSessionStore(path, bytes, bytes).load(b"a")


def test_file_too_long_to_be_one_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "sessions"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ConfigurationError, match="more than"):
        sealed(path).load(b"a")


def test_path_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        sealed(tmp_path).load(b"a")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        FileSessionStore("nul\0nul", bytes, bytes).load(b"a")


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sessions"
    store = sealed(path)
    store.save(b"a", b"1")

    def no_space(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(files.os, "fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        store.save(b"a", b"2")
    monkeypatch.undo()
    assert sealed(path).load(b"a") == b"1"
    store.save(b"a", b"3")  # although the unfinished neighbour is still there
    assert sealed(path).load(b"a") == b"3"
    assert os.listdir(tmp_path) == ["sessions"]


def test_unchanged_content_is_not_written_again(tmp_path: Path) -> None:
    """Flash memory wears out."""
    path = tmp_path / "sessions"
    store = sealed(path)
    store.save(b"a", b"1")
    before = path.read_bytes()
    store.save(b"a", b"1")
    store.delete(b"b")
    assert path.read_bytes() == before


# ---- the plain file ------------------------------------------------------------------------------


def test_plain_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    require_posix()
    path = tmp_path / "sessions"
    store = FileSessionStore.insecure_plaintext(path)
    store.save(b"a", b"1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert FileSessionStore.insecure_plaintext(path).load(b"a") == b"1"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o660, 0o640, 0o604, 0o666])
def test_plain_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    require_posix()
    path = tmp_path / "sessions"
    store = FileSessionStore.insecure_plaintext(path)
    store.save(b"a", b"1")
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="others may read or write it"):
        FileSessionStore.insecure_plaintext(path)
    with pytest.raises(ConfigurationError, match="others may read or write it"):
        store.load(b"a")


def test_plain_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_posix()
    path = tmp_path / "sessions"
    FileSessionStore.insecure_plaintext(path).save(b"a", b"1")
    stranger = os.geteuid() + 1
    monkeypatch.setattr(files.os, "geteuid", lambda: stranger)
    with pytest.raises(ConfigurationError, match="another user"):
        FileSessionStore.insecure_plaintext(path)


def test_link_to_a_plain_file_is_refused(tmp_path: Path) -> None:
    require_posix()
    FileSessionStore.insecure_plaintext(tmp_path / "sessions").save(b"a", b"1")
    (tmp_path / "link").symlink_to(tmp_path / "sessions")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        FileSessionStore.insecure_plaintext(tmp_path / "link")


def test_system_without_such_permissions_has_no_plain_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(files.os, "geteuid", raising=False)
    with pytest.raises(ConfigurationError, match="POSIX"):
        FileSessionStore.insecure_plaintext(tmp_path / "sessions")
