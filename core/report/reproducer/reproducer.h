// One C file that shows a finding with nothing of ours, as kernel developers
// want it: it builds with `gcc repro.c -luring`, sets the trap by itself, does
// what the run did, checks, and says in two lines what it saw.
//
// Made from templates/*.c, which are programs of their
// own: what a template includes is put in its place, its parameters are those
// of the run, and on top stands what was found where. It runs nothing.
#pragma once

#include <string>
#include <vector>

#include "core/run/finding.h"
#include "core/run/run_result.h"
#include "core/run/run_spec.h"

namespace writecanary {

struct ReproducerFacts {
  const Finding& finding;
  const RunSpec& spec;  // of the run; its profile chooses the template
  const KernelFacts& kernel;
  const FilesystemFacts& filesystem;
  std::string origin = {};  // which finding this is, for those who can look it up
};

struct Reproducer {
  std::string source;   // empty when there is none
  std::string refusal;  // why not, with what there is; else empty
};

// Pure.
Reproducer make_reproducer(const ReproducerFacts& facts);

// The profiles that have one, in order.
std::vector<std::string> reproducible_profiles();

}  // namespace writecanary
