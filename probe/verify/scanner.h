// Reads a file and says of every byte where it comes from: the file as a list of segments.
//
// Damage need not respect words or pages. A run of words that continue a pattern is followed at full speed; where it
// ends, the scanner looks for the next one, at every byte when it must, and then gives the bytes in between to the
// neighbours that they continue. What is claimed is never a coincidence of one word: a run needs two words that follow
// each other, or one that stands exactly where the log expects it. A word with at most three wrong bits, whose
// neighbours go on as if it were right, is a flipped word and not a jump. Fewer than 8 bytes that continue neither
// neighbour are unknown.
//
// Exactness: own bytes are followed to the first wrong byte, so damage begins with a wrong byte and ends with one, but
// for whole words of zeros or of another pattern, which are taken as a whole. Between unknown bytes, fewer than 512
// zeros are unknown too.
//
// Zeros that the log asked for are own bytes of its extender (probe/verify/extensions.h).
#pragma once

#include <cstddef>
#include <vector>

#include "probe/pattern/file_log.h"
#include "probe/verify/segment.h"
#include "probe/verify/window.h"

namespace writecanary::probe {

// Wrong bits in one word that still count as a flip.
inline constexpr int kFlippedBitsMax = 3;
// Segments in one file beyond those that the log explains. A file more fragmented than that is not told apart any
// further: the rest of it is unknown.
inline constexpr std::size_t kSegmentsMax = std::size_t{128} * 1024;

// The segments tile the file from 0 to window.size_bytes(), each as long as possible. Total: any content is answered,
// in time proportional to the size. Throws SystemError when reading fails.
std::vector<Segment> scan(Window& window, const LogIndex& index);

}  // namespace writecanary::probe
