// The table of profiles as a whole: what others name must be in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/report/known_issues.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

TEST(CatalogueTest, EachProfileSaysAllThatAPersonAsks) {
  std::set<std::string> names;
  for (const ProfileInfo& profile : catalogue()) {
    EXPECT_TRUE(names.insert(profile.name).second) << profile.name << " is there twice";
    for (const std::string& text :
         {profile.title, profile.description, profile.role, profile.oracle, profile.exposure}) {
      EXPECT_FALSE(text.empty()) << profile.name;
    }
    EXPECT_FALSE(profile.references.empty()) << profile.name;
    for (const ProfileOption& option : profile.options) {
      EXPECT_LE(option.minimum, option.default_value) << profile.name << ' ' << option.name;
      EXPECT_GE(option.maximum, option.default_value) << profile.name << ' ' << option.name;
      EXPECT_FALSE(option.description.empty() || option.unit.empty()) << profile.name << ' ' << option.name;
    }
  }
}

TEST(CatalogueTest, HasTheProfilesThatKnownIssuesName) {
  const Catalogue all = catalogue();
  for (const KnownIssue& issue : known_issues()) {
    for (const std::string& name : issue.profiles) {
      EXPECT_TRUE(std::ranges::any_of(all, [&](const ProfileInfo& profile) { return profile.name == name; }))
          << issue.id << " names " << name;
    }
  }
}

}  // namespace
}  // namespace writecanary::probe
