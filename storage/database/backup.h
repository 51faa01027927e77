// A copy of the database as it is at one moment, made while a daemon goes on writing to it.
#pragma once

#include <string>

namespace writecanary::storage {

// Reads the database at `path` through a connection of its own, so no daemon has to be asked or stopped. The copy
// appears whole and synced at `destination`, or not at all; what stands there already is never overwritten. Throws
// StorageError, also when the log beside a database that no daemon has open is another one's.
void back_up(const std::string& path, const std::string& destination);

}  // namespace writecanary::storage
