/* mixed-model: a few operations on a file, against a model in memory. */
#define _GNU_SOURCE

/* parameters */
#define SEED 1ull
#define FILE_BYTES (256ull << 10) /* no operation reaches further */
#define TRIES 20
/* end of parameters */

#include "start.c"

#include <liburing.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

enum kind {
	WRITE,
	APPEND,
	READ,
	TRUNCATE,
	ALLOCATE,
	PUNCH,
	ZERO_RANGE,
	FSYNC,
	EVICT,
	COPY,
	MAPPED_WRITE,
	MAPPED_READ,
	DIRECT_WRITE,
	DIRECT_READ,
	COLLAPSE,
	INSERT,
	CLONE,
	WRITE_TO_CLONE,
	UNSHARE,
	STORE_BEHIND_END,
};

/* What reaches beyond the end, or FILE_BYTES, is cut as the run cut it. */
static const struct operation {
	enum kind kind;
	uint64_t offset, length, target;
	int by_ring;
} operations[] = {
	/* operations */
	{ WRITE, 0, 10000, 0, 0 },
	{ PUNCH, 4096, 4096, 0, 0 },
	{ READ, 0, 10000, 0, 1 },
	/* end of operations */
};

#define COUNT (sizeof(operations) / sizeof(operations[0]))

/* A file and what should be in it; [1] is the clone. */
static struct {
	char name[32];
	int fd;
	uint64_t size;
	unsigned char bytes[2 * FILE_BYTES];
} files[2];

static struct io_uring ring;
static uint64_t direct_alignment = 512, block_bytes = 4096, page_bytes;
static unsigned long refused;
static unsigned char room[4 * FILE_BYTES] __attribute__((aligned(65536)));

static void prepare(void)
{
}

static void put_away(void)
{
}

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

/* Each byte tells its operation and its place. */
static void fill(unsigned char *bytes, unsigned number, uint64_t offset,
		 uint64_t length)
{
	for (uint64_t i = 0; i < length; i++) {
		uint64_t at = offset + i;
		uint64_t word =
			0xa5ull << 56 | (uint64_t)(number + 1) << 32 | at / 8;

		bytes[i] = word >> at % 8 * 8;
	}
}

__attribute__((noreturn)) static void
differs(const char *how, int file, uint64_t at, int found, int expected)
{
	char first[512], second[256];

	snprintf(first, sizeof(first),
		 "%s of %s: byte %llu is 0x%02x and should be 0x%02x", how,
		 files[file].name, (unsigned long long)at, found, expected);
	snprintf(second, sizeof(second), "%zu operations on one file", COUNT);
	say(SEEN, first, second);
}

static void compare(const char *how, int file, uint64_t offset,
		    const unsigned char *found, uint64_t length)
{
	for (uint64_t i = 0; i < length; i++)
		if (found[i] != files[file].bytes[offset + i])
			differs(how, file, offset + i, found[i],
				files[file].bytes[offset + i]);
}

static void compare_whole(const char *how, int file)
{
	uint64_t size = file_size(files[file].fd);
	ssize_t got = pread(files[file].fd, room, sizeof(room), 0);

	if (got < 0)
		could_not("read %s", files[file].name);
	compare(how, file, 0, room, min((uint64_t)got, files[file].size));
	if (size != files[file].size || (uint64_t)got != size)
		differs("the size", file, size, 0, 0);
}

static void evict(int file)
{
	if (fsync(files[file].fd) ||
	    posix_fadvise(files[file].fd, 0, 0, POSIX_FADV_DONTNEED))
		could_not("evict %s", files[file].name);
}

static int64_t by_ring(int writes, int fd, void *bytes, uint64_t length,
		       int64_t offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	struct io_uring_cqe *cqe;
	int64_t result;

	if (writes)
		io_uring_prep_write(sqe, fd, bytes, length, offset);
	else
		io_uring_prep_read(sqe, fd, bytes, length, offset);
	if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &cqe))
		could_not("io_uring");
	result = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}

static void write_all(const struct operation *op, int fd, uint64_t offset,
		      uint64_t length)
{
	for (uint64_t done = 0; done < length;) {
		void *from = room + done;
		uint64_t rest = length - done;
		ssize_t got;

		if (op->by_ring)
			got = by_ring(1, fd, from, rest,
				      op->kind == APPEND
					      ? -1
					      : (int64_t)(offset + done));
		else if (op->kind == APPEND)
			got = write(fd, from, rest);
		else
			got = pwrite(fd, from, rest, offset + done);
		if (got <= 0)
			could_not("write");
		done += got;
	}
}

/* The part of an operation that means something as the file is now. */
static uint64_t reach(const struct operation *op, uint64_t *offset)
{
	uint64_t size = files[op->kind == WRITE_TO_CLONE].size;
	uint64_t unit = op->kind == COLLAPSE || op->kind == INSERT
				? block_bytes
				: direct_alignment;
	uint64_t whole = (op->length + unit - 1) / unit * unit, end;

	*offset = op->kind == APPEND ? size : op->offset;
	switch (op->kind) {
	case WRITE:
	case APPEND:
	case ALLOCATE:
	case ZERO_RANGE:
	case PUNCH:
	case WRITE_TO_CLONE:
		end = FILE_BYTES;
		break;
	case COPY:
		if (op->target >= FILE_BYTES || *offset >= size)
			return 0;
		end = min(size - *offset, FILE_BYTES - op->target);
		end = min(end,
			  max(op->target, *offset) - min(op->target, *offset));
		return min(op->length, end);
	case DIRECT_WRITE:
	case DIRECT_READ:
	case COLLAPSE:
	case INSERT:
		*offset = *offset / unit * unit;
		end = FILE_BYTES / unit * unit;
		if (op->kind == DIRECT_READ)
			end = (size + unit - 1) / unit * unit;
		if (*offset >= (op->kind == DIRECT_WRITE ? end : size))
			return 0;
		if (op->kind == COLLAPSE)
			return *offset + whole < size ? whole : 0;
		if (op->kind == INSERT)
			return size + whole <= FILE_BYTES ? whole : 0;
		return min(whole, end - *offset);
	case STORE_BEHIND_END:
		*offset = size;
		return (page_bytes - size % page_bytes) % page_bytes;
	default:
		end = size;
	}
	return *offset < end ? min(op->length, end - *offset) : 0;
}

static void put(int file, const unsigned char *bytes, uint64_t offset,
		uint64_t length)
{
	if (bytes)
		memcpy(files[file].bytes + offset, bytes, length);
	else
		memset(files[file].bytes + offset, 0, length);
	files[file].size = max(files[file].size, offset + length);
}

/* A size that the model takes over; what is new is zeros. */
static void resize(int file, uint64_t size)
{
	if (size < files[file].size)
		memset(files[file].bytes + size, 0, files[file].size - size);
	files[file].size = size;
}

static unsigned char *map(uint64_t offset, uint64_t length)
{
	uint64_t begin = offset / page_bytes * page_bytes;
	void *memory =
		mmap(NULL, offset + length - begin, PROT_READ | PROT_WRITE,
		     MAP_SHARED, files[0].fd, begin);

	return memory == MAP_FAILED ? NULL
				    : (unsigned char *)memory + offset - begin;
}

static void unmap(unsigned char *at, uint64_t offset, uint64_t length)
{
	munmap(at - offset % page_bytes, offset % page_bytes + length);
}

static int allocate(int mode, uint64_t offset, uint64_t length)
{
	return fallocate(files[0].fd, mode, offset, length);
}

/* Moves what follows, as fallocate(2) does. */
static void shift(int inserts, uint64_t offset, uint64_t length)
{
	unsigned char *bytes = files[0].bytes;
	uint64_t size = files[0].size;

	if (inserts) {
		memmove(bytes + offset + length, bytes + offset, size - offset);
		memset(bytes + offset, 0, length);
		files[0].size = size + length;
	} else {
		memmove(bytes + offset, bytes + offset + length,
			size - offset - length);
		resize(0, size - length);
	}
}

static int direct(int writes, uint64_t offset, uint64_t length)
{
	int fd = open(files[0].name, O_RDWR | O_DIRECT);
	ssize_t got;

	if (fd < 0)
		return -1;
	got = writes ? pwrite(fd, room, length, offset)
		     : pread(fd, room, length, offset);
	close(fd);
	if (got >= 0 && !writes)
		compare("a direct read", 0, offset, room,
			min((uint64_t)got, files[0].size - offset));
	if (got >= 0 && writes && (uint64_t)got < length &&
	    pwrite(files[0].fd, room + got, length - got, offset + got) !=
		    (ssize_t)length - got)
		could_not("write the rest of a direct write");
	return got < 0 ? -1 : 0;
}

static int copy(uint64_t from, uint64_t to, uint64_t length)
{
	for (uint64_t done = 0; done < length;) {
		off_t in = from + done, out = to + done;
		ssize_t got = copy_file_range(files[0].fd, &in, files[0].fd,
					      &out, length - done, 0);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += got;
	}
	memcpy(room, files[0].bytes + from, length);
	put(0, room, to, length);
	return 0;
}

/* Of the real file and of the model; -1: the filesystem refuses it. */
static int execute(unsigned number)
{
	const struct operation *op = &operations[number];
	uint64_t offset, length = reach(op, &offset);
	int fd = files[op->kind == WRITE_TO_CLONE].fd, append = -1;
	unsigned char *at;
	int64_t got;

	if (op->kind == TRUNCATE) {
		uint64_t size = min(op->offset, FILE_BYTES);

		if (ftruncate(fd, size))
			could_not("ftruncate");
		resize(0, size);
		return 0;
	}
	if (op->kind == FSYNC)
		return fsync(fd);
	if (op->kind == EVICT) {
		evict(0);
		evict(1);
		return 0;
	}
	if (op->kind == CLONE) {
		if (ftruncate(files[1].fd, 0) ||
		    ioctl(files[1].fd, FICLONE, fd))
			return -1;
		resize(1, 0);
		put(1, files[0].bytes, 0, files[0].size);
		return 0;
	}
	if (length == 0)
		return 0;
	fill(room, number, offset, length);
	switch (op->kind) {
	case APPEND:
		append = open(files[0].name, O_WRONLY | O_APPEND);
		if (append < 0)
			could_not("open %s", files[0].name);
		fd = append;
		__attribute__((fallthrough));
	case WRITE:
	case WRITE_TO_CLONE:
		write_all(op, fd, offset, length);
		put(op->kind == WRITE_TO_CLONE, room, offset, length);
		if (append >= 0)
			close(append);
		return 0;
	case READ:
		got = op->by_ring ? by_ring(0, fd, room, length, offset)
				  : pread(fd, room, length, offset);
		if (got < 0)
			could_not("read");
		compare("a read", 0, offset, room, got);
		return 0;
	case ALLOCATE:
		if (allocate(0, offset, length))
			return -1;
		files[0].size = max(files[0].size, offset + length);
		return 0;
	case UNSHARE:
		return allocate(FALLOC_FL_UNSHARE_RANGE, offset, length);
	case PUNCH:
		if (allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
			     length))
			return -1;
		memset(files[0].bytes + offset, 0, length);
		return 0;
	case ZERO_RANGE:
		if (allocate(FALLOC_FL_ZERO_RANGE, offset, length))
			return -1;
		put(0, NULL, offset, length);
		return 0;
	case COLLAPSE:
	case INSERT:
		if (allocate(op->kind == INSERT ? FALLOC_FL_INSERT_RANGE
						: FALLOC_FL_COLLAPSE_RANGE,
			     offset, length))
			return -1;
		shift(op->kind == INSERT, offset, length);
		return 0;
	case COPY:
		return copy(offset, op->target, length);
	case DIRECT_WRITE:
		if (direct(1, offset, length))
			return -1;
		put(0, room, offset, length);
		return 0;
	case DIRECT_READ:
		return direct(0, offset, length);
	default:
		break;
	}
	if (file_size(files[0].fd) <
	    (op->kind == STORE_BEHIND_END ? offset : offset + length))
		return 0; /* the comparison will tell */
	at = map(offset, length);
	if (!at)
		return -1;
	if (op->kind == MAPPED_READ)
		compare("a mapping", 0, offset, at, length);
	else
		memcpy(at, room, length);
	if (op->kind == MAPPED_WRITE)
		put(0, room, offset, length);
	unmap(at, offset, length);
	return 0;
}

static void look_up_sizes(void)
{
	struct stat status;
#ifdef STATX_DIOALIGN
	struct statx more;

	if (!statx(files[0].fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &more) &&
	    more.stx_mask & STATX_DIOALIGN && more.stx_dio_offset_align)
		direct_alignment = more.stx_dio_offset_align;
#endif
	if (!fstat(files[0].fd, &status))
		block_bytes = status.st_blksize;
	page_bytes = sysconf(_SC_PAGESIZE);
}

static void attempt(void)
{
	char second[256];

	errno = -io_uring_queue_init(4, &ring, 0);
	if (errno)
		could_not("io_uring_setup");
	for (int i = 1; i <= TRIES; i++) {
		for (int f = 0; f < 2; f++) {
			snprintf(files[f].name, sizeof(files[f].name),
				 "file-%d%s", i, f ? "-clone" : "");
			files[f].fd = open(files[f].name,
					   O_RDWR | O_CREAT | O_EXCL, 0600);
			if (files[f].fd < 0)
				could_not("make %s", files[f].name);
			resize(f, 0);
		}
		look_up_sizes();
		for (unsigned n = 0; n < COUNT; n++)
			refused += execute(n) != 0;
		for (int f = 0; f < 2; f++)
			compare_whole("the page cache", f);
		for (int f = 0; f < 2; f++) {
			evict(f);
			compare_whole("the device", f);
			close(files[f].fd);
			unlink(files[f].name);
		}
	}
	snprintf(second, sizeof(second),
		 "%zu operations on each of %d files, %lu refused", COUNT,
		 TRIES, refused);
	if (refused)
		say(COULD_NOT, "the filesystem refuses some of them", second);
	say(NOTHING, "the files are as the model says", second);
}
