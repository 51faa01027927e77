/* append: one writer through io_uring, each append stopped part-way. */
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
#include "ring.c"

/*
 * Each append stops part-way in its attempt to go without blocking. An affected
 * kernel then writes the whole of it again, behind what the attempt has left.
 */
static void attempt(void)
{
	uint64_t *words;
	unsigned long exposed = 0, made = 0;
	char name[32];
	int files = 0;

	enter_cgroup();
	words = new_buffer();
	open_ring(0);
	rehearse();
	while (made < WRITES) {
		int fd;

		snprintf(name, sizeof(name), "file-%d", ++files);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
		if (fd < 0)
			could_not("make %s", name);
		new_journal();
		while (made < WRITES && file_size(fd) < FILE_BYTES) {
			unsigned count = next_words();
			unsigned number = journal->appends[0];

			fill(words, 0, number, count);
			close_gate();
			exposed += submit_trapped(fd, words, count) != 0;
			acknowledge(0, open_gate());
			made++;
		}
		check_file(name, 0);
		close(fd);
		unlink(name);
	}
	conclude(exposed, made, "appends stopped part-way");
}
