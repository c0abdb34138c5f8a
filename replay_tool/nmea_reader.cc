// NMEA 0183 reader. Model: sentences that carry the same time of day belong to one epoch; those
// without a time (VTG, GSA) belong to the epoch that is open. An epoch closes when another time
// begins, and is a fix if any of its sentences said that its position is valid.
//
// Dates come from RMC and ZDA. Between them the day turns when the time of day falls by more than
// half a day. Epochs before the first date wait for it (at most kMaxWaiting of them) and are dated
// backwards from it.
#include "replay_tool/nmea_reader.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <string>
#include <tuple>
#include <utility>

#include "replay_tool/line_splitter.h"
#include "replay_tool/nmea_sentence.h"
#include "replay_tool/number_text.h"
#include "replay_tool/plural.h"

namespace waymark::replay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDay = std::chrono::hours(24);
constexpr milliseconds kHalfDay = std::chrono::hours(12);
constexpr std::size_t kMaxWaiting = 1000;
constexpr double kMetresPerHdop = 5;  // REPLAY_TOOL.md
constexpr double kMpsPerKnot = 1852. / 3600;
constexpr double kMpsPerKmh = 1. / 3.6;
// r68 of a circular normal distribution with 1 sigma per axis: sqrt(-2 ln(1 - 0.68)).
constexpr double kR68PerSigma = 1.5096;

// A position of a higher rank replaces one of a lower rank within an epoch: the combined solution
// before that of one system, and within that the sentence with more decimals and quality first.
int TalkerRank(std::string_view talker) { return talker == "GN" ? 2 : talker == "GP" ? 1 : 0; }

struct Epoch {
  std::optional<milliseconds> time_of_day;
  std::optional<UtcTime> date;
  std::uint64_t line = 0;
  std::optional<LatLon> position;
  int position_rank = -1;
  bool simulated = false;
  std::optional<double> altitude_m, hdop, speed_mps, course_deg, horizontal_sigma_m,
      vertical_sigma_m;
};

class NmeaParser final : public TraceParser {
 public:
  NmeaParser(const ReadOptions& options, FixSink sink)
      : options_(options), sink_(std::move(sink)), date_(options.assume_date) {
    info_.format = TraceFormat::kNmea;
  }

  Status Feed(std::string_view bytes) override {
    lines_.Feed(bytes, [this](std::string_view line, std::uint64_t number) {
      OnLine(line, number);
      return !stopped_;
    });
    return Status();
  }

  Status Finish(bool cut) override {
    info_.cut = cut;
    lines_.Finish([this](std::string_view line, std::uint64_t number) {
      OnLastLine(line, number);
      return !stopped_;
    });
    CloseEpoch();
    GiveUpWaiting();
    if (stopped_) return Status();
    if (info_.points == 0) return NoFixError();
    AddWarnings();
    return Status();
  }

  bool stopped() const override { return stopped_; }
  const TraceInfo& info() const override { return info_; }

 private:
  void OnLine(std::string_view line, std::uint64_t number) {
    bool any = false;
    if (line.empty() || line.front() == '#') return;
    while (!stopped_) {
      const std::size_t begin = line.find_first_of("$!");
      if (begin == std::string_view::npos) break;
      line.remove_prefix(begin);
      std::size_t end = 1;
      const std::optional<NmeaSentence> sentence = ParseNmeaSentence(line, end);
      if (sentence) {
        any = true;
        OnSentence(*sentence, line.front(), number);
      }
      line.remove_prefix(std::max<std::size_t>(end, 1));
    }
    if (!any) ++garbage_lines_;
  }

  // A line without an end. If its sentence is not whole, the log was cut off in it.
  void OnLastLine(std::string_view line, std::uint64_t number) {
    const auto damaged = std::pair(bad_checksums_, garbage_lines_);
    OnLine(line, number);
    if (damaged == std::pair(bad_checksums_, garbage_lines_)) return;
    if (line.find_first_of("$!") == std::string_view::npos) return;
    info_.cut = true;
    std::tie(bad_checksums_, garbage_lines_) = damaged;
  }

  void OnSentence(const NmeaSentence& s, char start, std::uint64_t line) {
    ++sentences_;
    if (start == '!') {
      ++ais_sentences_;
      return;
    }
    // Among sentences with a checksum, one without has lost its end.
    if (s.checksum == NmeaChecksum::kBad || (s.checksum == NmeaChecksum::kAbsent && checksums_)) {
      ++bad_checksums_;
      return;
    }
    if (s.checksum == NmeaChecksum::kGood) checksums_ = true;
    if (s.type == "RMC") return OnRmc(s, line);
    if (s.type == "GGA") return OnGga(s, line);
    if (s.type == "GNS") return OnGns(s, line);
    if (s.type == "GLL") return OnGll(s, line);
    if (s.type == "GST") return OnGst(s, line);
    if (s.type == "ZDA") return OnZda(s, line);
    if (s.type == "VTG") return OnVtg(s);
    if (s.type == "GSA" && !epoch_.hdop) epoch_.hdop = Positive(s.Field(15));
  }

  static std::optional<double> Positive(std::string_view text) {
    const std::optional<double> value = ParseDouble(text);
    return value && *value > 0 ? value : std::nullopt;
  }

  // Opens the epoch of `time`, closing the one before. False without a readable time.
  bool EnterEpoch(std::string_view time, std::uint64_t line) {
    const std::optional<milliseconds> time_of_day = ParseNmeaTime(time);
    if (!time_of_day) return false;
    if (epoch_.time_of_day && epoch_.time_of_day != time_of_day) CloseEpoch();
    epoch_.time_of_day = time_of_day;
    epoch_.line = line;
    return true;
  }

  // `sentence_rank` orders the sentence types by how much their position is worth.
  void SetPosition(const NmeaSentence& s, std::size_t first_field, int sentence_rank) {
    const std::optional<double> lat_deg =
        ParseNmeaLatitude(s.Field(first_field), s.Field(first_field + 1));
    const std::optional<double> lon_deg =
        ParseNmeaLongitude(s.Field(first_field + 2), s.Field(first_field + 3));
    if (!lat_deg || !lon_deg) return;
    const int rank = TalkerRank(s.talker) * 8 + sentence_rank;
    if (rank <= epoch_.position_rank) return;
    epoch_.position = LatLon{*lat_deg, *lon_deg};
    epoch_.position_rank = rank;
  }

  // FAA mode indicator (NMEA 2.3): N no fix, S simulator.
  bool ModeIsValid(std::string_view mode) {
    if (mode == "S") epoch_.simulated = true;
    return mode != "N";
  }

  void OnRmc(const NmeaSentence& s, std::uint64_t line) {
    if (!EnterEpoch(s.Field(0), line)) return;
    if (const auto date = ParseNmeaDate(s.Field(8))) epoch_.date = date;
    if (s.Field(1) != "A" || !ModeIsValid(s.Field(11))) return;
    SetPosition(s, 2, 2);
    if (const auto knots = ParseDouble(s.Field(6))) epoch_.speed_mps = *knots * kMpsPerKnot;
    if (const auto course = ParseDouble(s.Field(7))) epoch_.course_deg = course;
  }

  void OnGga(const NmeaSentence& s, std::uint64_t line) {
    if (!EnterEpoch(s.Field(0), line)) return;
    const std::optional<std::int64_t> quality = ParseInt(s.Field(5));
    if (!quality || *quality == 0) return;
    if (*quality == 8) epoch_.simulated = true;
    SetPosition(s, 1, 3);
    if (const auto hdop = Positive(s.Field(7))) epoch_.hdop = hdop;
    if (const auto altitude = ParseDouble(s.Field(8))) {
      epoch_.altitude_m = *altitude + ParseDouble(s.Field(10)).value_or(0);
    }
  }

  void OnGns(const NmeaSentence& s, std::uint64_t line) {
    if (!EnterEpoch(s.Field(0), line)) return;
    // One mode letter for each satellite system; without a fix all say N.
    const std::string_view modes = s.Field(5);
    if (modes.find_first_not_of('N') == std::string_view::npos) return;
    SetPosition(s, 1, 1);
    if (const auto hdop = Positive(s.Field(7))) epoch_.hdop = hdop;
    if (const auto altitude = ParseDouble(s.Field(8)); altitude && !epoch_.altitude_m) {
      epoch_.altitude_m = *altitude + ParseDouble(s.Field(9)).value_or(0);
    }
  }

  void OnGll(const NmeaSentence& s, std::uint64_t line) {
    if (!EnterEpoch(s.Field(4), line)) return;
    if (s.Field(5) == "V" || !ModeIsValid(s.Field(6))) return;
    SetPosition(s, 0, 0);
  }

  void OnGst(const NmeaSentence& s, std::uint64_t line) {
    if (!EnterEpoch(s.Field(0), line)) return;
    const std::optional<double> north_m = Positive(s.Field(5));
    const std::optional<double> east_m = Positive(s.Field(6));
    if (north_m && east_m) epoch_.horizontal_sigma_m = std::hypot(*north_m, *east_m) / std::sqrt(2);
    epoch_.vertical_sigma_m = Positive(s.Field(7));
  }

  void OnZda(const NmeaSentence& s, std::uint64_t line) {
    if (!EnterEpoch(s.Field(0), line)) return;
    const std::optional<std::int64_t> day = ParseInt(s.Field(1));
    const std::optional<std::int64_t> month = ParseInt(s.Field(2));
    const std::optional<std::int64_t> year = ParseInt(s.Field(3));
    if (!day || !month || !year || *day < 1 || *day > 31 || *month < 1 || *month > 12 ||
        *year < 1980 || *year > 2199) {
      return;
    }
    epoch_.date = UtcDate(static_cast<int>(*year), static_cast<unsigned>(*month),
                          static_cast<unsigned>(*day));
  }

  void OnVtg(const NmeaSentence& s) {
    if (s.Field(8) == "N" || epoch_.speed_mps) return;
    if (const auto course = ParseDouble(s.Field(0))) epoch_.course_deg = course;
    if (const auto knots = ParseDouble(s.Field(4))) {
      epoch_.speed_mps = *knots * kMpsPerKnot;
    } else if (const auto kmh = ParseDouble(s.Field(6))) {
      epoch_.speed_mps = *kmh * kMpsPerKmh;
    }
  }

  void CloseEpoch() {
    Epoch epoch = std::exchange(epoch_, Epoch());
    if (!epoch.time_of_day) return;
    if (!options_.assume_date && epoch.date) {
      if (!date_) DateWaiting(*epoch.date, *epoch.time_of_day);
      date_ = epoch.date;
    } else if (date_ && last_time_of_day_ && *last_time_of_day_ - *epoch.time_of_day > kHalfDay) {
      *date_ += kDay;
    }
    last_time_of_day_ = epoch.time_of_day;
    if (!epoch.position) {
      ++epochs_without_fix_;
      return;
    }
    if (date_) {
      Deliver(epoch, *date_ + *epoch.time_of_day);
      return;
    }
    if (waiting_.size() >= kMaxWaiting) {
      GiveUpWaiting();
      Deliver(epoch, *date_ + *epoch.time_of_day);
      return;
    }
    waiting_.push_back(std::move(epoch));
  }

  // Delivers what waited, given that `time_of_day` after it fell on `date`.
  void DateWaiting(UtcTime date, milliseconds time_of_day) {
    milliseconds later = time_of_day;
    int days_back = 0;
    for (auto epoch = waiting_.rbegin(); epoch != waiting_.rend(); ++epoch) {
      if (*epoch->time_of_day - later > kHalfDay) ++days_back;
      later = *epoch->time_of_day;
      epoch->date = date - days_back * kDay;
    }
    for (const Epoch& epoch : waiting_) Deliver(epoch, *epoch.date + *epoch.time_of_day);
    waiting_.clear();
  }

  // No date came: any will do, since time differences are what matters.
  void GiveUpWaiting() {
    if (waiting_.empty()) return;
    undated_ = true;
    const milliseconds last = *waiting_.back().time_of_day;
    date_ = UtcTime(std::chrono::sys_days(std::chrono::year(2000) / std::chrono::January / 1));
    milliseconds before = *waiting_.front().time_of_day;
    for (const Epoch& epoch : waiting_) {
      if (before - *epoch.time_of_day > kHalfDay) *date_ += kDay;
      before = *epoch.time_of_day;
    }
    DateWaiting(*date_, last);
  }

  void Deliver(const Epoch& epoch, UtcTime utc) {
    if (stopped_) return;
    TraceFix read;
    read.line = epoch.line;
    Fix& fix = read.fix;
    fix.utc = utc;
    fix.position = *epoch.position;
    fix.altitude_m = epoch.altitude_m;
    fix.speed_mps = epoch.speed_mps;
    fix.course_deg = epoch.course_deg;
    fix.vertical_accuracy_m = epoch.vertical_sigma_m;
    fix.source = FixSource::kGnss;
    fix.simulated = epoch.simulated;
    if (epoch.horizontal_sigma_m) {
      fix.horizontal_accuracy_m = *epoch.horizontal_sigma_m * kR68PerSigma;
    } else if (options_.accuracy_m) {
      fix.horizontal_accuracy_m = options_.accuracy_m;
    } else if (epoch.hdop) {
      fix.horizontal_accuracy_m = *epoch.hdop * kMetresPerHdop;
    }
    ++info_.points;
    if (!sink_(read)) stopped_ = true;
  }

  Status NoFixError() const {
    std::string why;
    if (sentences_ == 0) {
      why = "no NMEA sentence";
    } else if (ais_sentences_ == sentences_) {
      why = "AIS only: " + Plural(ais_sentences_, "sentence") + " and no receiver position";
    } else if (bad_checksums_ == sentences_) {
      why = "no right checksum among its " + Plural(bad_checksums_, "sentence");
    } else if (epochs_without_fix_ > 0) {
      why =
          "no position: the receiver reports no fix in its " + Plural(epochs_without_fix_, "epoch");
    } else {
      why = "no position among its " + Plural(sentences_, "NMEA sentence");
    }
    if (lines_.count() > 0 && garbage_lines_ * 2 > lines_.count()) {
      why += "; most of it is not NMEA (a receiver's own binary protocol?)";
    }
    return Status(Code::kInvalidArgument, why);
  }

  void AddWarnings() {
    const auto warn = [this](std::uint64_t n, const char* noun, const char* what) {
      if (n > 0) info_.warnings.push_back(Plural(n, noun) + what);
    };
    if (info_.cut) info_.warnings.push_back("the file is cut off; what stands before was read");
    warn(bad_checksums_, "sentence", " with a wrong or missing checksum skipped");
    warn(garbage_lines_, "line", " without NMEA skipped");
    warn(epochs_without_fix_, "epoch", " without a position skipped");
    if (undated_) {
      info_.warnings.push_back(
          "the log names no date; counted from 2000-01-01 (--assume-date YYYY-MM-DD sets it)");
    }
  }

  const ReadOptions options_;
  const FixSink sink_;
  TraceInfo info_;
  LineSplitter lines_;
  Epoch epoch_;
  std::deque<Epoch> waiting_;  // for the first date
  std::optional<UtcTime> date_;
  std::optional<milliseconds> last_time_of_day_;
  std::uint64_t sentences_ = 0;
  std::uint64_t ais_sentences_ = 0;
  std::uint64_t bad_checksums_ = 0;
  std::uint64_t garbage_lines_ = 0;
  bool checksums_ = false;  // a sentence had one
  std::uint64_t epochs_without_fix_ = 0;
  bool undated_ = false;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<TraceParser> MakeNmeaParser(const ReadOptions& options, FixSink sink) {
  return std::make_unique<NmeaParser>(options, std::move(sink));
}

}  // namespace waymark::replay
