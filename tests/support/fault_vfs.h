// An SQLite VFS over the default one whose n-th operation fails on demand: faults from below the
// code under test, as SQLite's own tests inject them.
#ifndef WAYMARK_TESTS_SUPPORT_FAULT_VFS_H_
#define WAYMARK_TESTS_SUPPORT_FAULT_VFS_H_

#include <sqlite3.h>

#include <cstdint>
#include <cstring>

namespace waymark::testing {

/// One for the process (SQLite's list of VFS is global). Not thread-safe.
class FaultVfs {
 public:
  static constexpr const char* kName = "waymark-fault";
  struct Plan {
    std::int64_t fail_at = 0;  ///< the how-manieth operation from now; 0: none
    bool persistent = false;   ///< everything after it fails too
    int result = SQLITE_IOERR;
    std::int64_t budget_bytes = INT64_MAX;  ///< writing beyond this: SQLITE_FULL
  };

  static FaultVfs& Get() {
    static FaultVfs vfs;
    return vfs;
  }
  void Arm(const Plan& plan) {
    plan_ = plan;
    operations_ = 0;
    written_ = 0;
    fired_ = false;
  }
  void Disarm() { Arm({}); }
  bool fired() const { return fired_; }
  std::int64_t operations() const { return operations_; }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real;
  };

  FaultVfs() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.iVersion = 1;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.zName = kName;
    vfs_.pNext = nullptr;
    vfs_.xOpen = &Open;
    vfs_.xDelete = [](sqlite3_vfs*, const char* name, int sync) {
      const int r = Get().Next();
      return r ? r : Get().real_->xDelete(Get().real_, name, sync);
    };
    vfs_.xAccess = [](sqlite3_vfs*, const char* name, int flags, int* out) {
      return Get().real_->xAccess(Get().real_, name, flags, out);
    };
    vfs_.xFullPathname = [](sqlite3_vfs*, const char* name, int n, char* out) {
      return Get().real_->xFullPathname(Get().real_, name, n, out);
    };
    methods_.iVersion = 1;  // no shared memory: the store must not need it
    methods_.xClose = [](sqlite3_file* f) {
      return Real(f)->pMethods ? Real(f)->pMethods->xClose(Real(f)) : SQLITE_OK;
    };
    methods_.xRead = [](sqlite3_file* f, void* p, int n, sqlite3_int64 at) {
      const int r = Get().Next();
      return r ? r : Real(f)->pMethods->xRead(Real(f), p, n, at);
    };
    methods_.xWrite = [](sqlite3_file* f, const void* p, int n, sqlite3_int64 at) {
      const int r = Get().NextWrite(n);
      return r ? r : Real(f)->pMethods->xWrite(Real(f), p, n, at);
    };
    methods_.xTruncate = [](sqlite3_file* f, sqlite3_int64 n) {
      const int r = Get().Next();
      return r ? r : Real(f)->pMethods->xTruncate(Real(f), n);
    };
    methods_.xSync = [](sqlite3_file* f, int flags) {
      const int r = Get().Next();
      return r ? r : Real(f)->pMethods->xSync(Real(f), flags);
    };
    methods_.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) {
      const int r = Get().Next();
      return r ? r : Real(f)->pMethods->xFileSize(Real(f), n);
    };
    methods_.xLock = [](sqlite3_file* f, int l) { return Real(f)->pMethods->xLock(Real(f), l); };
    methods_.xUnlock = [](sqlite3_file* f, int l) {
      return Real(f)->pMethods->xUnlock(Real(f), l);
    };
    methods_.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return Real(f)->pMethods->xCheckReservedLock(Real(f), out);
    };
    methods_.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      return Real(f)->pMethods->xFileControl(Real(f), op, arg);
    };
    methods_.xSectorSize = [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); };
    methods_.xDeviceCharacteristics = [](sqlite3_file* f) {
      return Real(f)->pMethods->xDeviceCharacteristics(Real(f));
    };
    sqlite3_vfs_register(&vfs_, 0);
  }

  static sqlite3_file* Real(sqlite3_file* f) { return reinterpret_cast<File*>(f)->real; }

  static int Open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
    auto* file = reinterpret_cast<File*>(f);
    file->base.pMethods = nullptr;
    file->real = reinterpret_cast<sqlite3_file*>(file + 1);
    std::memset(file->real, 0, static_cast<std::size_t>(Get().real_->szOsFile));
    if (Get().Next() != SQLITE_OK) return SQLITE_CANTOPEN;
    const int r = Get().real_->xOpen(Get().real_, name, file->real, flags, out);
    if (r == SQLITE_OK) file->base.pMethods = &Get().methods_;
    return r;
  }

  int Next() {
    ++operations_;
    const bool fails = plan_.fail_at > 0 && (operations_ == plan_.fail_at ||
                                             (plan_.persistent && operations_ > plan_.fail_at));
    fired_ |= fails;
    return fails ? plan_.result : SQLITE_OK;
  }
  int NextWrite(int n) {
    const int r = Next();
    if (r != SQLITE_OK) return r;
    written_ += n;
    if (written_ <= plan_.budget_bytes) return SQLITE_OK;
    fired_ = true;
    return SQLITE_FULL;
  }

  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
  sqlite3_io_methods methods_{};
  Plan plan_;
  std::int64_t operations_ = 0, written_ = 0;
  bool fired_ = false;
};

}  // namespace waymark::testing

#endif  // WAYMARK_TESTS_SUPPORT_FAULT_VFS_H_
