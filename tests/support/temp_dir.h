// A folder of its own for one test, gone afterwards.
#ifndef WAYMARK_TESTS_SUPPORT_TEMP_DIR_H_
#define WAYMARK_TESTS_SUPPORT_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace waymark::testing {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "waymark.XXXXXX").string();
    path_ = mkdtemp(name.data()) ? name : "";
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace waymark::testing

#endif  // WAYMARK_TESTS_SUPPORT_TEMP_DIR_H_
