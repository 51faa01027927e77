// Removing a directory with all that is in it, from one descriptor to the next. A path could be led elsewhere between
// two calls, by whoever may rename a directory on it; a descriptor cannot.
#pragma once

#include <string>
#include <vector>

namespace writecanary::probe {

// The names in an open directory, without "." and "..". Throws SystemError.
std::vector<std::string> names_in(int directory);

// Removes the name below the open directory. A symbolic link is removed and not followed; what is mounted in there is
// not entered. False when something is left.
bool remove_tree(int directory, const std::string& name);

}  // namespace writecanary::probe
