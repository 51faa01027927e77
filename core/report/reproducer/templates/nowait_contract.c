/* nowait-contract: a file grows by what pwritev2(RWF_NOWAIT) returns. */
#define _GNU_SOURCE

/* parameters */
#define SEED 1ull
#define WRITES 200
#define FILE_BYTES (4ull << 20)
#define MEMORY_BYTES (64ull << 20)
#define HEADROOM_BYTES 0
#define WRITE_MIN_BYTES 0
#define WRITE_MAX_BYTES 0
#define TORN_COUNTS 0
/* end of parameters */

#include "start.c"
#include "words.c"
#include "pressure.c"

#include <sys/uio.h>

static struct {
	unsigned long broken, exposed, made;
	char first[256];
} calls;

/* One call with too little memory, and what it says against what it did. */
static void append_nowait(int fd, uint64_t *words, unsigned count)
{
	struct iovec piece = { words, count * 8 };
	uint64_t before = file_size(fd), grown;
	ssize_t returned;
	int error;

	pace();
	wait_for_tick();
	tighten(headroom_bytes());
	arm(fd);
	returned = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
	error = errno;
	relieve();
	grown = file_size(fd) - before;
	calls.made++;
	errno = error;
	if (returned < 0 && error != EAGAIN && error != ENOMEM)
		could_not("pwritev2(RWF_NOWAIT)");
	if (grown > 0 && (returned < 0 || (uint64_t)returned < piece.iov_len))
		calls.exposed++;
	if (returned < 0)
		returned = 0;
	if (grown != (uint64_t)returned && !calls.broken++)
		snprintf(calls.first, sizeof(calls.first),
			 "a call of %zu bytes at %llu returned %zd and the "
			 "file grew by %llu",
			 piece.iov_len, (unsigned long long)before, returned,
			 (unsigned long long)grown);
	/* So that the next call is judged for itself. */
	if (grown != (uint64_t)returned && ftruncate(fd, before + returned))
		could_not("ftruncate");
	acknowledge(0, returned);
}

/*
 * With one writer a call must make the file longer by its result, and by
 * nothing when it fails. An affected kernel leaves what it had copied.
 */
static void attempt(void)
{
	uint64_t *words;
	char name[32], first[512];
	int files = 0;

	enter_cgroup();
	words = new_buffer();
	tighten(8 << 20); /* a rehearsal, with enough memory */
	relieve();
	while (calls.made < WRITES) {
		int fd;

		snprintf(name, sizeof(name), "file-%d", ++files);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
		if (fd < 0)
			could_not("make %s", name);
		new_journal();
		while (calls.made < WRITES && file_size(fd) < FILE_BYTES) {
			unsigned count = next_words();

			fill(words, 0, journal->appends[0], count);
			append_nowait(fd, words, count);
			if (journal->appends[0] == APPENDS_MAX)
				break;
		}
		check_file(name, 0);
		close(fd);
		unlink(name);
	}
	if (calls.broken) {
		snprintf(first, sizeof(first),
			 "%lu of %lu calls broke the contract; %s",
			 calls.broken, calls.made, calls.first);
		say(SEEN, first, "pwritev2(2), RWF_NOWAIT");
	}
	conclude(calls.exposed, calls.made, "calls stopped part-way");
}
