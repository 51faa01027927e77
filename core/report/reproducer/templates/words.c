/* ---- what is written, and whether it stands in the file ---- */

/* xorshift64*: the same seed, the same run. */
static uint64_t random_state = SEED * 2 + 1;

static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 2685821657736338717ull;
}

/*
 * Each 64-bit word names its writer, its append and its place in that append,
 * so that a word in the wrong place tells where it belongs.
 */
#define MARK 0xa5ull
#define APPENDS_MAX 4096

static uint64_t word_of(unsigned writer, unsigned append, unsigned place)
{
	return MARK << 56 | (uint64_t)writer << 52 | (uint64_t)append << 28 |
	       place;
}

static void fill(uint64_t *words, unsigned writer, unsigned append,
		 unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		words[i] = word_of(writer, append, i);
}

/* What was acknowledged, in words; shared by all who write. */
struct journal {
	unsigned appends[16];
	unsigned words[16][APPENDS_MAX];
};
static struct journal *journal;

static void new_journal(void)
{
	if (!journal)
		journal =
			mmap(NULL, sizeof(*journal), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (journal == MAP_FAILED)
		could_not("map memory");
	memset(journal, 0, sizeof(*journal));
}

static void acknowledge(unsigned writer, int64_t bytes)
{
	if (journal->appends[writer] == APPENDS_MAX)
		could_not("too many appends for one file");
	journal->words[writer][journal->appends[writer]++] =
		bytes > 0 ? bytes / sizeof(uint64_t) : 0;
}

/* Sums over all files of this run. */
static struct {
	unsigned long appends, duplicate, torn, missing, other;
	uint64_t acknowledged, found;
	char first[256];
} sum;

static void note(unsigned long *kind, const char *name, const char *file,
		 uint64_t offset, uint64_t word, const char *how)
{
	++*kind;
	/* What is missing here may be found further on. */
	if (!sum.first[0] || !strncmp(sum.first, "missing", 7))
		snprintf(sum.first, sizeof(sum.first),
			 "%s: at offset %llu of %s, word %u of append %u of "
			 "writer %u %s",
			 name, (unsigned long long)offset, file,
			 (unsigned)(word & 0xfffffff),
			 (unsigned)(word >> 28 & 0xffffff),
			 (unsigned)(word >> 52 & 0xf), how);
}

/*
 * Reads the file from its beginning. A place where a word does not follow the
 * one before is a seam: it is right only where an append begins.
 * `zeros_are_ours`: the file was made longer on purpose.
 */
static void check_file(const char *name, int zeros_are_ours)
{
	static unsigned seen[16][APPENDS_MAX];
	static uint64_t chunk[8192];
	uint64_t before = 0, offset = 0;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		could_not("open %s", name);
	memset(seen, 0, sizeof(seen));
	while ((got = pread(fd, chunk, sizeof(chunk), offset)) > 0) {
		for (ssize_t i = 0; i < got / 8; i++, before = chunk[i - 1]) {
			uint64_t word = chunk[i], at = offset + i * 8;
			unsigned writer = word >> 52 & 0xf;
			unsigned append = word >> 28 & 0xffffff;
			unsigned place = word & 0xfffffff;
			int ours = word >> 56 == MARK &&
				   append < journal->appends[writer] &&
				   place < journal->words[writer][append];

			if (!ours) {
				if (word == before ||
				    (word == 0 && zeros_are_ours))
					continue;
				note(&sum.other, "other", name, at, word,
				     "does not belong to this file");
				continue;
			}
			if (word != before + 1 || place == 0) {
				if (place < seen[writer][append])
					note(&sum.duplicate, "duplicate", name,
					     at, word, "stands a second time");
				else if (place > seen[writer][append])
					note(&sum.missing, "missing", name, at,
					     word, "comes too early");
				else if (place != 0)
					note(&sum.torn, "torn", name, at, word,
					     "goes on behind other bytes");
			}
			if (place >= seen[writer][append])
				seen[writer][append] = place + 1;
		}
		offset += got;
	}
	if (got < 0)
		could_not("read %s", name);
	close(fd);
	sum.found += offset;
	for (unsigned writer = 0; writer < 16; writer++) {
		for (unsigned a = 0; a < journal->appends[writer]; a++) {
			unsigned words = journal->words[writer][a];

			sum.appends++;
			sum.acknowledged += words * 8ull;
			if (seen[writer][a] < words)
				note(&sum.missing, "missing", name, offset,
				     word_of(writer, a, seen[writer][a]),
				     "is nowhere");
		}
	}
}

/* Ends the run. `exposed` of `tries` went the way that this is about. */
static void conclude(unsigned long exposed, unsigned long tries,
		     const char *way)
{
	unsigned long wrong = sum.duplicate + sum.missing + sum.other;
	char first[512], second[512];

	snprintf(second, sizeof(second),
		 "%lu of %lu %s, %llu bytes acknowledged, %llu in the files",
		 exposed, tries, way, (unsigned long long)sum.acknowledged,
		 (unsigned long long)sum.found);
	snprintf(first, sizeof(first),
		 "duplicate %lu, torn %lu, missing %lu, other %lu in %lu "
		 "appends; %s",
		 sum.duplicate, sum.torn, sum.missing, sum.other, sum.appends,
		 sum.first);
	if (wrong || (TORN_COUNTS && sum.torn))
		say(SEEN, first, second);
	if (exposed * 10 < tries || !exposed)
		say(COULD_NOT, "the kernel did not go the way this is about",
		    second);
	if (sum.torn)
		say(NOTHING, "but for torn appends, which this is not about",
		    second);
	say(NOTHING, "every acknowledged byte stands where it belongs", second);
}
