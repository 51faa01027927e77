// One sentence with the figures for a fault, for people.
#pragma once

#include <string>

#include "probe/verify/classifier.h"

namespace writecanary::probe {

std::string fault_text(const Fault& fault, const LogIndex& index);

}  // namespace writecanary::probe
