#include "waymark/config.h"

#include <gmock/gmock.h>

#include <cmath>
#include <memory>
#include <set>

namespace waymark {
namespace {

using testing::HasSubstr;

TEST(Config, DefaultsAndProfilesAreValid) {
  EXPECT_TRUE(Config{}.Validate().empty());
  for (const char* name : {"navigation", "balanced", "low_power", "passive"}) {
    const Result<Config> c = ConfigForProfile(name);
    ASSERT_TRUE(c.ok()) << name;
    EXPECT_TRUE(c.value().Validate().empty()) << name;
  }
  EXPECT_THAT(ConfigForProfile("turbo").status().message(), HasSubstr("navigation"));
}

TEST(Config, EveryFieldReadsBackWhatItPrints) {
  std::set<std::string> names;
  for (const ConfigField& f : ConfigFields()) {
    EXPECT_TRUE(names.insert(f.name).second) << f.name;
    Config c;
    const Result<std::string> text = GetConfigField(c, f.name);
    ASSERT_TRUE(text.ok()) << f.name;
    ASSERT_TRUE(SetConfigField(c, f.name, text.value()).ok()) << f.name << " " << text.value();
    EXPECT_EQ(GetConfigField(c, f.name).value(), text.value()) << f.name;
  }
  EXPECT_GE(names.size(), 30u);
}

TEST(Config, ValidateReturnsEveryViolation) {
  Config c;
  c.records.max_error_m = -1;
  c.upload.url = "http://example.org/";
  c.upload.backoff_initial = std::chrono::hours(1);
  c.upload.backoff_max = std::chrono::seconds(5);
  c.estimator.max_coast = Duration::zero();
  c.installation = "has space";
  std::set<std::string> fields;
  for (const auto& v : c.Validate()) fields.insert(v.field);
  EXPECT_EQ(fields,
            (std::set<std::string>{"records.max_error_m", "upload.url", "upload.backoff_initial_s",
                                   "estimator.max_coast_s", "installation"}));
}

// "..., [1, 3600]" at the end of a description is the range that Validate holds.
TEST(Config, EveryRangeIsHeldAtBothEndsAndStated) {
  int ranges = 0;
  for (const ConfigField& f : ConfigFields()) {
    const std::string text = f.description;
    const std::size_t open = text.rfind('[');
    if (open == std::string::npos || text.find("A-Z") != std::string::npos) continue;
    SCOPED_TRACE(f.name);
    const std::string range = text.substr(open);
    std::size_t low_end = 0;
    const double low = std::stod(range.substr(1), &low_end);
    const std::string high_text = range.substr(low_end + 3);
    const double high = high_text == "2^40]" ? 0x1p40 : std::stod(high_text);
    const bool whole = !SetConfigField(*std::make_unique<Config>(), f.name, "0.5").ok();
    const auto violates = [&](double v) {
      Config c;
      const std::string value =
          whole ? std::to_string(static_cast<std::int64_t>(v)) : std::to_string(v);
      EXPECT_TRUE(SetConfigField(c, f.name, value).ok()) << value;
      for (const auto& violation : c.Validate()) {
        if (violation.field != f.name) continue;
        // Cross-field rules name the other field; this is about the range.
        if (violation.reason.find("outside") != std::string::npos) return true;
      }
      return false;
    };
    const double step = whole ? 1 : std::max(1e-3, high * 1e-6);
    EXPECT_FALSE(violates(low));
    EXPECT_FALSE(violates(high));
    EXPECT_TRUE(violates(high + step));
    EXPECT_TRUE((whole && low == 0) || violates(low - (whole ? 1 : 1e-3)));
    ++ranges;
  }
  EXPECT_GE(ranges, 25);
}

TEST(Config, NumbersThatAreNoneAreViolations) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    for (double Config::Records::*member :
         {&Config::Records::max_error_m, &Config::Records::max_distance_m,
          &Config::Records::max_turn_deg, &Config::Records::min_distance_m}) {
      Config c;
      c.records.*member = bad;
      EXPECT_EQ(c.Validate().size(), 1u);
    }
    for (double Config::Sampling::*member :
         {&Config::Sampling::low_battery, &Config::Sampling::max_speed_mps}) {
      Config c;
      c.sampling.*member = bad;
      EXPECT_EQ(c.Validate().size(), 1u);
    }
    for (double EstimatorOptions::*member :
         {&EstimatorOptions::max_accuracy_m, &EstimatorOptions::default_accuracy_m,
          &EstimatorOptions::max_speed_mps}) {
      Config c;
      c.estimator.*member = bad;
      EXPECT_EQ(c.Validate().size(), 1u);
      EXPECT_FALSE(Estimator::Create(c.estimator).ok());
    }
  }
  Config c;
  c.upload.timeout = Duration::max();
  c.records.settle = Duration::min();
  c.store.max_age = Duration::min();
  EXPECT_EQ(c.Validate().size(), 4u);  // settle is also below the reorder window
}

TEST(Config, PlainHttpOnlyToThisMachine) {
  const auto valid = [](const char* url) {
    Config c;
    c.upload.url = url;
    return c.Validate().empty();
  };
  EXPECT_TRUE(valid("https://collector.example/v1"));
  EXPECT_TRUE(valid("http://127.0.0.1:8080/"));
  EXPECT_TRUE(valid("http://localhost/"));
  EXPECT_TRUE(valid("http://[::1]:9/"));
  EXPECT_FALSE(valid("http://collector.example/"));
  EXPECT_FALSE(valid("http://127.0.0.1.evil.example/"));
  EXPECT_FALSE(valid("http://localhost.evil.example/"));
  EXPECT_FALSE(valid("ftp://127.0.0.1/"));
  EXPECT_FALSE(valid("https://"));
}

TEST(Config, BadTextIsRefusedWithTheFieldsName) {
  Config c;
  EXPECT_THAT(SetConfigField(c, "records.max_error_m", "three").message(),
              HasSubstr("records.max_error_m"));
  EXPECT_FALSE(SetConfigField(c, "records.max_error_m", "").ok());
  EXPECT_FALSE(SetConfigField(c, "records.max_error_m", "nan").ok());
  EXPECT_FALSE(SetConfigField(c, "upload.max_batch_records", "-1").ok());
  EXPECT_FALSE(SetConfigField(c, "upload.max_batch_records", "1e3").ok());
  EXPECT_FALSE(SetConfigField(c, "sampling.passive", "yes").ok());
  EXPECT_FALSE(SetConfigField(c, "no.such", "1").ok());
  EXPECT_TRUE(c.Validate().empty());
}

TEST(Config, TheSecretIsNeverPrinted) {
  Config c;
  ASSERT_TRUE(SetConfigField(c, "upload.authorization", "Bearer s3cret").ok());
  EXPECT_EQ(c.upload.authorization, "Bearer s3cret");
  EXPECT_EQ(GetConfigField(c, "upload.authorization").value(), "");
  ASSERT_TRUE(SetConfigField(c, "upload.authorization", "Bearer s3cret\r\nX: y").ok());
  for (const auto& v : c.Validate()) EXPECT_EQ(v.reason.find("s3cret"), std::string::npos);
  EXPECT_FALSE(c.Validate().empty());
}

}  // namespace
}  // namespace waymark
