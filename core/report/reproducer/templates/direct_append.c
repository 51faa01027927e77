/* direct-append: O_DIRECT writes at the end, out of memory not faulted in. */
#define _GNU_SOURCE

/* parameters */
#define SEED 1ull
#define WRITES 200
#define FILES 12
#define FILE_BYTES (4ull << 20)
#define WRITE_MIN_BYTES (16ull << 10)
#define WRITE_MAX_BYTES (256ull << 10)
#define TORN_COUNTS 0
/* end of parameters */

#include "start.c"
#include "words.c"

#define ALIGNMENT 4096

static struct {
	unsigned long made, direct, wrong_place;
	char first[256];
} calls;

static void prepare(void)
{
}

static void put_away(void)
{
}

/* The words as pages of a file that this process has not touched. */
static const void *unfaulted(const uint64_t *words, uint64_t bytes, int cold)
{
	static void *memory;
	static int fd = -1;

	if (fd < 0) {
		fd = open("source", O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || ftruncate(fd, WRITE_MAX_BYTES + ALIGNMENT))
			could_not("make the file source");
		memory = mmap(NULL, WRITE_MAX_BYTES + ALIGNMENT, PROT_READ,
			      MAP_PRIVATE, fd, 0);
		if (memory == MAP_FAILED)
			could_not("map the file source");
	}
	if (pwrite(fd, words, bytes, 0) != (ssize_t)bytes)
		could_not("write the file source");
	if (cold &&
	    (fdatasync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)))
		could_not("evict the file source");
	if (madvise(memory, WRITE_MAX_BYTES + ALIGNMENT, MADV_DONTNEED))
		could_not("madvise");
	return memory;
}

/* Whether the write went past the page cache, as a direct one does. */
static int left_no_page(int fd, uint64_t offset, uint64_t bytes)
{
	uint64_t page = sysconf(_SC_PAGESIZE), begin = offset / page * page;
	uint64_t length = offset + bytes - begin;
	unsigned char resident[WRITE_MAX_BYTES / 4096 + 2] = { 0 };
	void *memory = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, begin);
	int none = 1;

	if (memory == MAP_FAILED || mincore(memory, length, resident))
		none = 0;
	for (uint64_t i = 0; i < length / page; i++)
		if (resident[i] & 1)
			none = 0;
	if (memory != MAP_FAILED)
		munmap(memory, length);
	return none;
}

/* Writes to the end, and says whether position and result agree. */
static void append_direct(int fd, uint64_t *words, uint64_t bytes)
{
	uint64_t end = file_size(fd);
	const void *memory = unfaulted(words, bytes, calls.made % 4 == 0);
	ssize_t returned = write(fd, memory, bytes);
	off_t position;

	calls.made++;
	if (returned < 0)
		could_not("a write with O_DIRECT");
	acknowledge(0, returned);
	calls.direct += left_no_page(fd, end, returned);
	position = lseek(fd, 0, SEEK_CUR);
	if (position != (off_t)(end + returned) && !calls.wrong_place++)
		snprintf(
			calls.first, sizeof(calls.first),
			"a write at %llu returned %zd and the position is %lld",
			(unsigned long long)end, returned, (long long)position);
	if (lseek(fd, 0, SEEK_END) < 0)
		could_not("lseek");
}

/*
 * A direct write that comes to a page which is not mapped stops, faults it in
 * and goes on. Kernels forgot what was done before, or where the file position
 * was. Every second file is opened with O_APPEND.
 */
static void attempt(void)
{
	uint64_t *words = malloc(WRITE_MAX_BYTES + ALIGNMENT);
	uint64_t spread = (WRITE_MAX_BYTES - WRITE_MIN_BYTES) / ALIGNMENT + 1;
	char name[32], first[512];

	if (!words)
		could_not("malloc");
	for (int file = 1; file <= FILES && calls.made < WRITES; file++) {
		int flags = file % 2 ? 0 : O_APPEND, fd;

		snprintf(name, sizeof(name), "file-%d", file);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_DIRECT | flags,
			  0600);
		if (fd < 0)
			could_not("open %s with O_DIRECT", name);
		new_journal();
		while (calls.made < WRITES && file_size(fd) < FILE_BYTES) {
			uint64_t bytes = (WRITE_MIN_BYTES / ALIGNMENT +
					  next_random() % spread) *
					 ALIGNMENT;

			/* A short result leaves an end that is not aligned. */
			if (file_size(fd) % ALIGNMENT)
				break;
			fill(words, 0, journal->appends[0], bytes / 8);
			append_direct(fd, words, bytes);
		}
		check_file(name, 0);
		close(fd);
		unlink(name);
	}
	if (calls.wrong_place) {
		snprintf(first, sizeof(first), "%lu of %lu positions; %s",
			 calls.wrong_place, calls.made, calls.first);
		say(SEEN, first, "write(2) moves the position by its result");
	}
	conclude(calls.direct, calls.made, "writes passed the page cache by");
}
