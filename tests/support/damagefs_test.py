"""damagefs does exactly what its log says, and nothing else. The expected file is computed from the log alone."""

import mmap
import os
import random
import unittest

from harness import run
from harness.controls import foreign_text
from harness.mounts import damage_mount, temporary_directory

WRITE_BYTES = 20_000  # not page aligned, as the canary's writes are not
LENGTH_CHANGING = ("duplicate", "drop", "truncate", "extend")
IN_PLACE = ("flip", "zero", "reorder", "stale", "foreign")


def damaged_by_log(writes, log, earlier):
    """The file that these appends leave behind if the log tells the whole truth."""
    stream = b"".join(writes)
    content = bytearray(stream)
    for entry in log:  # in file order: what comes later in the log stands further behind
        apply_entry(content, entry, stream, earlier)
    return bytes(content)


def apply_entry(content, entry, stream, earlier):
    offset, length, source = entry["offset"], entry["length"], entry["source_offset"]
    belongs = stream[source : source + length]
    here = slice(offset, offset + length)
    kind = entry["kind"]
    if kind == "duplicate":
        content[offset:offset] = belongs
    elif kind == "extend":
        content[offset:offset] = bytes(length)
    elif kind == "reorder":
        before = slice(offset - length, offset)
        content[before], content[here] = content[here], content[before]
        assert content[here] == belongs
    elif kind == "stale":
        assert source == 0
        content[here] = earlier[:length]
    else:
        assert content[here] == belongs, f"{kind}: the log names another place"
        if kind in ("drop", "truncate"):
            del content[here]
        elif kind == "flip":
            content[offset] ^= 1 << 5
        elif kind == "zero":
            content[here] = bytes(length)
        elif kind == "foreign":
            content[here] = foreign_text(offset, length)
        else:
            raise AssertionError(f"unexpected kind {kind}")


class DamageFs(unittest.TestCase):
    cached = False

    def setUp(self):
        self.mount = self.enterContext(damage_mount(self.enterContext(temporary_directory()), self.cached))
        self.random = random.Random(1)

    def write_file(self, name, writes, flags=os.O_APPEND):
        fd = os.open(os.path.join(self.mount.mount_point, name), os.O_WRONLY | os.O_CREAT | flags, 0o600)
        try:
            for piece in writes:
                self.assertEqual(os.write(fd, piece), len(piece))
        finally:
            os.close(fd)

    def read_both_ways(self, name):
        contents = []
        for directory in (self.mount.mount_point, self.mount.backing):
            with open(os.path.join(directory, name), "rb") as file:
                contents.append(file.read())
        self.assertEqual(contents[0], contents[1], "the mount shows something else than what is stored")
        return contents[0]

    def pieces(self, count, length=WRITE_BYTES):
        return [self.random.randbytes(length) for _ in range(count)]

    def check_kind(self, kind, which, expected_writes):
        writes, earlier = self.pieces(7), self.pieces(1)
        self.write_file(f"{kind}-earlier", earlier)
        self.mount.set_rule(kind=kind, offset=8200, length=5000, bit=5, **which)
        logged = len(self.mount.log())
        self.write_file(kind, writes)
        log = self.mount.log()[logged:]
        if not self.cached:  # from the page cache the kernel may send a write in pieces
            self.assertEqual([entry["write"] for entry in log], expected_writes)
        self.assertEqual({(entry["kind"], entry["file"]) for entry in log}, {(kind, kind)})
        content = self.read_both_ways(kind)
        self.assertNotEqual(content, b"".join(writes))
        self.assertEqual(content, damaged_by_log(writes, log, earlier[0]))

    def test_one_write(self):
        for kind in LENGTH_CHANGING + IN_PLACE:
            with self.subTest(kind):
                self.check_kind(kind, {"at": 4}, [4])

    def test_every_third_write(self):
        for kind in LENGTH_CHANGING + IN_PLACE:
            with self.subTest(kind):
                self.check_kind(kind, {"every": 3}, [3, 6])

    def test_text_that_is_right_by_chance_is_no_damage(self):
        """Each edge of the chunk is what was written anyway: the log names the bytes between."""
        first, last = 8200, 8200 + 5000 - 1
        written = bytearray(WRITE_BYTES)
        for at in (first, last):
            written[at] = foreign_text(at, 1)[0]
        self.mount.set_rule(kind="foreign", offset=first, length=5000, at=1)
        self.write_file("foreign", [bytes(written)])
        [entry] = self.mount.log()
        self.assertEqual((entry["offset"], entry["length"]), (first + 1, 5000 - 2))
        self.assertEqual(self.read_both_ways("foreign"), damaged_by_log([bytes(written)], [entry], b""))

    def test_without_rule_nothing_changes(self):
        writes = self.pieces(20, 50_000)
        self.write_file("intact", writes)
        self.assertEqual(self.read_both_ways("intact"), b"".join(writes))
        self.assertEqual(self.mount.log(), [])

    def test_the_writer_sees_the_damage_through_its_own_descriptor(self):
        writes = self.pieces(3)
        self.mount.set_rule(kind="duplicate", at=2)
        fd = os.open(os.path.join(self.mount.mount_point, "own"), os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self.addCleanup(os.close, fd)
        for piece in writes:
            os.write(fd, piece)
        self.assertEqual(os.fstat(fd).st_size, 3 * WRITE_BYTES + 4096)
        self.assertEqual(os.pread(fd, 1 << 20, 0), damaged_by_log(writes, self.mount.log(), b""))

    def test_writes_at_explicit_offsets(self):
        writes = self.pieces(4)
        for kind, damages in (("zero", 1), ("duplicate", 0)):
            with self.subTest(kind):
                self.mount.set_rule(kind=kind, at=2)
                logged = len(self.mount.log())
                self.write_file(kind, writes, flags=0)
                log = self.mount.log()[logged:]
                self.assertEqual(len(log), damages)
                self.assertEqual(self.read_both_ways(kind), damaged_by_log(writes, log, b""))

    def test_a_long_write_is_damaged_in_the_part_that_the_log_names(self):
        writes = self.pieces(1, 3 << 20)
        self.mount.set_rule(kind="zero", at=2, offset=8, length=16)
        self.write_file("long", writes)
        [entry] = self.mount.log()
        self.assertGreater(entry["offset"], 8)
        content = bytearray(writes[0])
        content[entry["offset"] : entry["offset"] + 16] = bytes(16)
        self.assertEqual(self.read_both_ways("long"), content)

    def test_small_writes_do_not_count(self):
        self.mount.set_rule(kind="zero", at=1, offset=4096, length=4096)
        self.write_file("small", [b"x" * 8191])
        self.assertEqual(self.mount.log(), [])
        self.assertEqual(self.mount.status(), "kind=zero,at=1,offset=4096,length=4096 writes=0 damaged=0")

    def test_only_the_named_files_are_damaged(self):
        self.mount.set_rule(kind="zero", file="data-", every=1)
        os.mkdir(os.path.join(self.mount.mount_point, "run"))
        for name in ("run/other", "run/data-1", "run/data-2", "run/xdata-3"):
            self.write_file(name, self.pieces(1))
        self.assertEqual([entry["file"] for entry in self.mount.log()], ["run/data-1", "run/data-2"])

    def test_a_wrong_rule_is_refused_and_the_old_one_stays(self):
        self.mount.set_rule(kind="flip", at=9)
        for wrong in ({"kind": "melt"}, {"every": 0}, {"length": 0}, {"offset": "x"}, {"bit": 8}, {"colour": 1}):
            with self.subTest(wrong), self.assertRaises(OSError):
                self.mount.set_rule(**wrong)
        self.assertEqual(self.mount.status(), "kind=flip,at=9 writes=0 damaged=0")

    def test_the_rest_of_a_filesystem_works(self):
        root = self.mount.mount_point
        os.mkdir(os.path.join(root, "d"))
        path = os.path.join(root, "d", "f")
        with open(path, "wb") as file:
            file.write(b"abcdef")
            file.flush()
            os.unlink(path)
            os.fsync(file.fileno())
            os.ftruncate(file.fileno(), 2)
            self.assertEqual(os.fstat(file.fileno()).st_size, 2)
            os.utime(file.fileno(), ns=(0, 10**18))
            self.assertEqual(os.fstat(file.fileno()).st_mtime_ns, 10**18)
        self.assertEqual(os.listdir(os.path.join(root, "d")), [], "what was unlinked while open leaves no trace")
        os.rename(os.path.join(root, "d"), os.path.join(root, "e"))
        self.assertEqual(os.listdir(root), ["e"])
        os.rmdir(os.path.join(root, "e"))
        self.assertEqual(os.statvfs(root).f_blocks, os.statvfs(self.mount.backing).f_blocks)
        with self.assertRaises(FileNotFoundError):
            os.stat(path)

    def test_a_damaged_read_leaves_what_is_stored(self):
        writes = self.pieces(1)
        self.write_file("read", writes)
        self.mount.set_rule(kind="zero", on="read", place=5000, length=300, at=1)
        path = os.path.join(self.mount.mount_point, "read")
        fd = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        if self.cached:  # what the page cache has is not read again
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        first = os.pread(fd, 16_384, 0)
        [entry] = self.mount.log()
        self.assertEqual((entry["offset"], entry["length"]), (5000, 300))
        self.assertEqual(first[5000:5300], bytes(300))
        self.assertEqual(first[:5000] + first[5300:], writes[0][:5000] + writes[0][5300:16_384])
        with open(os.path.join(self.mount.backing, "read"), "rb") as stored:
            self.assertEqual(stored.read(), writes[0])

    def test_only_writes_that_cover_the_place_count(self):
        self.mount.set_rule(kind="zero", place=100_000, length=500, every=1)
        writes = self.pieces(3, 60_000)
        self.write_file("place", writes)
        if not self.cached:
            self.assertEqual(self.mount.status().split(" ", 1)[1], "writes=1 damaged=1")
        content = bytearray(b"".join(writes))
        content[100_000:100_500] = bytes(500)
        self.assertEqual(self.read_both_ways("place"), content)

    def test_direct_io_is_accepted(self):
        buffer = mmap.mmap(-1, 65_536)
        buffer.write(self.random.randbytes(65_536))
        self.mount.set_rule(kind="flip", at=1, offset=10_000)
        self.write_file("direct", [memoryview(buffer)], os.O_APPEND | os.O_DIRECT)
        [entry] = self.mount.log()
        self.assertEqual((entry["offset"], entry["length"]), (10_000, 1))


class DamageFsBehindPageCache(DamageFs):
    cached = True


if __name__ == "__main__":
    run.main()
