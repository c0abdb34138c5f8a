// What the headers of a reply mean, and which addresses are refused.
#include "platform/linux/curl_exchange.h"

#include <gtest/gtest.h>

namespace waymark::linux_platform {
namespace {

using std::chrono::seconds;

// Wed, 21 Oct 2015 07:28:00 GMT, the example of RFC 9110.
constexpr UtcTime kExample{seconds(1'445'412'480)};

TEST(HttpDate, ReadsTheThreeFormsOfRfc9110) {
  for (const char* text : {"Wed, 21 Oct 2015 07:28:00 GMT", "Wednesday, 21-Oct-15 07:28:00 GMT",
                           "Wed Oct 21 07:28:00 2015", "  Wed, 21 Oct 2015 07:28:00 GMT\r\n"}) {
    EXPECT_EQ(ParseHttpDate(text), kExample) << text;
  }
  for (const char* text : {"", "soon", "Wed, 41 Oct 2015 07:28:00 GMT", "12"}) {
    EXPECT_FALSE(ParseHttpDate(text)) << text;
  }
}

TEST(RetryAfter, IsANumberOfSeconds) {
  EXPECT_EQ(ParseRetryAfter("120", {}), seconds(120));
  EXPECT_EQ(ParseRetryAfter(" 0 \r", {}), seconds(0));
  EXPECT_EQ(ParseRetryAfter("99999999999999999999999", {}), seconds(366 * 86'400));
  for (const char* text : {"", " ", "-5", "1.5", "1e3", "12 s"}) {
    EXPECT_FALSE(ParseRetryAfter(text, kExample)) << text;
  }
}

// The device's clock may be wrong: a date is only worth anything beside the server's own.
TEST(RetryAfter, OrADateAgainstTheServersOwn) {
  const char* text = "Wed, 21 Oct 2015 07:28:00 GMT";
  EXPECT_EQ(ParseRetryAfter(text, kExample - seconds(90)), seconds(90));
  EXPECT_EQ(ParseRetryAfter(text, kExample - std::chrono::milliseconds(1500)), seconds(2));
  EXPECT_EQ(ParseRetryAfter(text, kExample), seconds(0));
  EXPECT_EQ(ParseRetryAfter(text, kExample + seconds(500)), seconds(0)) << "it has passed";
  EXPECT_EQ(ParseRetryAfter(text, UtcTime{}), seconds(366 * 86'400));
  EXPECT_FALSE(ParseRetryAfter(text, {}));
}

TEST(RefusedUrl, HttpsAnywhereAndHttpOnlyToLoopback) {
  for (const char* url : {"https://collector.example/v1", "http://127.0.0.1:8080/",
                          "http://127.8.9.1/", "http://localhost/", "http://[::1]:9/"}) {
    EXPECT_FALSE(RefusedUrl(url)) << url;
  }
  for (const char* url : {"http://collector.example/", "http://127.evil.example/",
                          "http://127.0.0.1.evil.example/", "http://127.0.0.1@evil.example/",
                          "ftp://127.0.0.1/", "file:///etc/passwd", "", "nonsense"}) {
    EXPECT_TRUE(RefusedUrl(url)) << url;
  }
}

}  // namespace
}  // namespace waymark::linux_platform
