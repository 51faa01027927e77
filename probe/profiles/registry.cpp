// The table of profiles. A new one is a row here and a file of its own beside this one.
#include <array>

#include "probe/run/profile.h"

namespace writecanary::probe {

extern const Profile kAppend;
extern const Profile kNowaitContract;
extern const Profile kAppendInterposed;
extern const Profile kAppendConcurrent;
extern const Profile kOffset;
extern const Profile kAppendAsync;
extern const Profile kAppendSync;
extern const Profile kTailReader;
extern const Profile kSharedBlocks;
extern const Profile kLargeFolio;
extern const Profile kCollapse;
extern const Profile kDirectAppend;
extern const Profile kCopyAfterWrite;
extern const Profile kMixedModel;
extern const Profile kRingIo;
extern const Profile kFarOffset;
extern const Profile kArchive;
extern const Profile kHeldTail;
extern const Profile kHeldAppend;
extern const Profile kHeldResize;
extern const Profile kHeldCopy;
extern const Profile kHeldDirect;
extern const Profile kHeldRead;
extern const Profile kHeldSource;
extern const Profile kForgottenInode;
extern const Profile kSideBySide;

std::span<const Profile* const> profiles() {
  static constexpr std::array kProfiles = {
      &kAppend,         &kNowaitContract, &kAppendInterposed, &kAppendConcurrent, &kOffset,   &kAppendAsync,
      &kAppendSync,     &kTailReader,     &kSharedBlocks,     &kLargeFolio,       &kCollapse, &kDirectAppend,
      &kCopyAfterWrite, &kMixedModel,     &kRingIo,           &kFarOffset,        &kArchive,  &kHeldTail,
      &kHeldAppend,     &kHeldResize,     &kHeldCopy,         &kHeldDirect,       &kHeldRead, &kHeldSource,
      &kForgottenInode, &kSideBySide};
  return kProfiles;
}

Catalogue catalogue() {
  Catalogue all;
  for (const Profile* profile : profiles()) all.push_back(profile->describe());
  return all;
}

}  // namespace writecanary::probe
