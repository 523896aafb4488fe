// The tests' own framework. TEST names a property and says it in one sentence; CHECK and its kin
// stop a test where the property does not hold; main runs the tests of its file and counts
// failures.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "array.hpp"

namespace check {

struct Test {
  const char* name;
  const char* property;
  void (*run)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

struct Registered {
  Registered(const char* name, const char* property, void (*run)()) {
    tests().push_back({name, property, run});
  }
};

struct Failed : std::exception {};

// What a loop is at, printed where a check inside it fails.
class Context {
 public:
  explicit Context(const std::string& text) { lines().push_back(text); }
  ~Context() { lines().pop_back(); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  static std::vector<std::string>& lines() {
    thread_local std::vector<std::string> all;
    return all;
  }
};

[[noreturn]] inline void fail(const char* file, int line, const std::string& text) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, text.c_str());
  for (const std::string& at : Context::lines()) std::fprintf(stderr, "    with %s\n", at.c_str());
  throw Failed{};
}

template <class T>
std::string text_of(const T& value) {
  std::ostringstream out;
  out.precision(17);
  if constexpr (std::is_enum_v<T>) {
    out << static_cast<long long>(value);
  } else {
    out << value;
  }
  return out.str();
}

template <class A, class B>
void equal(const A& actual, const B& expected, const char* file, int line, const char* text) {
  if (actual == expected) return;
  fail(file, line, std::string(text) + ": " + text_of(actual) + " against " + text_of(expected));
}

// |actual - expected| <= tolerance; false for a NaN.
inline void near(double actual, double expected, double tolerance, const char* file, int line,
                 const char* text) {
  const double difference = std::abs(actual - expected);
  if (difference <= tolerance) return;
  fail(file, line,
       std::string(text) + ": " + text_of(actual) + " against " + text_of(expected) +
           ", apart by " + text_of(difference) + " > " + text_of(tolerance));
}

// Arrays with the same bits: -0 is not 0, and a NaN is equal to itself.
template <class S>
void same(const Array<S>& actual, const std::type_identity_t<Array<S>>& expected, const char* file,
          int line, const char* text) {
  equal(actual.size(), expected.size(), file, line, text);
  for (Index i = 0; i < actual.size(); ++i) {
    if (std::memcmp(&actual[i], &expected[i], sizeof(S)) == 0) continue;
    fail(file, line,
         std::string(text) + ": element " + text_of(i) + " is " + text_of(actual[i]) + " against " +
             text_of(expected[i]));
  }
}

// `count` normal numbers, a function of the seed.
template <class S>
Array<S> normals(Index count, std::uint64_t seed, double scale = 1) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal(0, scale);
  Array<S> numbers(count);
  for (S& x : numbers) x = static_cast<S>(normal(bits));
  return numbers;
}

// `count` integers in [0, below).
inline Array<std::int64_t> integers(Index count, std::int64_t below, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  std::uniform_int_distribution<std::int64_t> uniform(0, below - 1);
  Array<std::int64_t> numbers(count);
  for (std::int64_t& x : numbers) x = uniform(bits);
  return numbers;
}

// `count` flags, each true with probability p.
inline Array<bool> flags(Index count, double p, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  std::bernoulli_distribution bernoulli(p);
  Array<bool> all(count);
  for (bool& x : all) x = bernoulli(bits);
  return all;
}

// A copy of an array that stands `shift` elements behind an aligned address, with nothing after it.
template <class S>
class Shifted {
 public:
  Shifted(const Array<S>& values, Index shift) : memory_(values.size() + shift), shift_(shift) {
    std::copy(values.data(), values.data() + values.size(), data());
  }
  S* data() { return memory_.data() + shift_; }
  Array<S> values() const { return memory_.tail(memory_.size() - shift_); }

 private:
  Array<S> memory_;
  Index shift_;
};

// f<float>() and f<double>()
template <class F>
void for_each_scalar(F&& f) {
  {
    const Context at("float");
    f.template operator()<float>();
  }
  const Context at("double");
  f.template operator()<double>();
}

}  // namespace check

#define TEST(name, property)                                               \
  static void name();                                                      \
  static const check::Registered registered_##name{#name, property, name}; \
  static void name()

#define CHECK(condition) \
  static_cast<void>((condition) || (check::fail(__FILE__, __LINE__, #condition), false))
#define CHECK_EQ(actual, expected) \
  check::equal(actual, expected, __FILE__, __LINE__, #actual " == " #expected)
#define CHECK_NEAR(actual, expected, tolerance)                           \
  check::near(static_cast<double>(actual), static_cast<double>(expected), \
              static_cast<double>(tolerance), __FILE__, __LINE__, #actual " ~ " #expected)
#define CHECK_SAME(actual, expected) \
  check::same(actual, expected, __FILE__, __LINE__, #actual " has the bits of " #expected)

#define CHECK_JOIN_(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN_(a, b)
#define CONTEXT(stream)                                     \
  const check::Context CHECK_JOIN(context_, __LINE__)([&] { \
    std::ostringstream context_text;                        \
    context_text << stream;                                 \
    return context_text.str();                              \
  }())

int main() {
  int failures = 0;
  for (const check::Test& test : check::tests()) {
    try {
      test.run();
    } catch (const check::Failed&) {
      std::fprintf(stderr, "FAILED %s: %s\n", test.name, test.property);
      ++failures;
    }
  }
  std::printf("%d of %zu failed\n", failures, check::tests().size());
  return failures == 0 ? 0 : 1;
}
