/* mixed-model: a few operations on a file, against a model in memory. */
#define _GNU_SOURCE

/* parameters */
#define SEED 1ull
#define FILE_BYTES (256ull << 10) /* no operation reaches further */
#define TRIES 20
/* end of parameters */

#include "start.c"

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
	STORE_BEHIND_END_FSYNC,
	DIRECT_AT_ONCE,
	REWRITE,
	CLONE_RANGE,
	DEDUPLICATE,
	STOPPED_WRITE,
	INTERRUPTED_ALLOCATION,
	MAPPED_REWRITE,
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
#define PARTS_MAX 8 /* direct writes at once */

#include "model.c"
#include "model_calls.c"
#include "direct.c"

static unsigned long refused;

static void prepare(void)
{
}

static void put_away(void)
{
}

/* Of the real file and of the model; -1: the filesystem refuses it. */
static int execute(unsigned number)
{
	const struct operation *op = &operations[number];
	uint64_t offset, length = reach(op, &offset);
	int of_clone = op->kind == WRITE_TO_CLONE, fd = files[of_clone].fd;
	/* One that reaches the end asks for more, as readers do. */
	uint64_t wanted = length + (offset + length == files[0].size) * 5000;
	uint64_t size = min(op->offset, FILE_BYTES);
	int64_t got;

	switch (op->kind) {
	case TRUNCATE:
		if (ftruncate(fd, size))
			could_not("ftruncate");
		resize(0, size);
		return 0;
	case FSYNC:
		return fsync(fd);
	case EVICT:
		evict(0);
		if (files[1].size)
			evict(1);
		return 0;
	case CLONE:
		return files[0].size ? clone_whole() : 0;
	default:
		break;
	}
	if (length == 0)
		return 0;
	fill(room, number, offset, length);
	switch (op->kind) {
	case TRUNCATE:
	case FSYNC:
	case EVICT:
	case CLONE:
		return 0; /* see above */
	case APPEND:
		fd = open(files[0].name, O_WRONLY | O_APPEND);
		if (fd < 0)
			could_not("open %s", files[0].name);
		write_all(op, fd, offset, length);
		close(fd);
		put(0, room, offset, length);
		return 0;
	case WRITE:
	case WRITE_TO_CLONE:
		write_all(op, fd, offset, length);
		put(of_clone, room, offset, length);
		return 0;
	case REWRITE:
		rewrite(op, number, offset, length);
		put(0, room, offset, length);
		return 0;
	case STOPPED_WRITE:
		stopped_write(offset, length);
		return 0;
	case INTERRUPTED_ALLOCATION:
		return interrupted_allocation(offset, length);
	case MAPPED_REWRITE:
		return mapped_rewrite(number, offset, length);
	case READ:
		got = op->by_ring ? by_ring(0, fd, room, wanted, offset)
				  : pread(fd, room, wanted, offset);
		if (got < 0)
			could_not("read");
		compare_read("a read", offset, got);
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
	case CLONE_RANGE:
		return clone_range(offset, op->target, length);
	case DEDUPLICATE:
		return deduplicate(offset, length);
	case DIRECT_WRITE:
	case DIRECT_AT_ONCE:
		if (op->kind == DIRECT_WRITE ? direct_write(offset, length)
					     : direct_at_once(offset, length))
			return -1;
		put(0, room, offset, length);
		return 0;
	case DIRECT_READ:
		return direct_read(offset, length);
	case MAPPED_READ:
		return mapped_read(offset, length);
	case MAPPED_WRITE:
		return mapped_write(offset, length);
	case STORE_BEHIND_END:
	case STORE_BEHIND_END_FSYNC:
		return store_behind_end(op->kind == STORE_BEHIND_END_FSYNC,
					offset, length);
	}
	return 0;
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
		stored_behind = 0;
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
