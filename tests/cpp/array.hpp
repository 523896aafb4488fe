// The tests' arrays: plain loops and no expression templates, which take the sanitizers minutes to
// compile. Aligned like the kernels' own, so that a shifted one is known to be unaligned, and full
// of rubbish until written, so that an output that a kernel forgets is seen.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

#include "pgfast/arrays.hpp"

namespace check {

using pgfast::Index;

template <class S>
class Array {
 public:
  Array() : Array(0) {}
  explicit Array(Index size) : size_(size), data_(allocate(size)) { fill(rubbish()); }
  Array(const S* from, Index size) : size_(size), data_(allocate(size)) {
    std::copy(from, from + size, data());
  }
  Array(std::initializer_list<S> values)
      : Array(values.begin(), static_cast<Index>(values.size())) {}
  Array(const Array& other) : Array(other.data(), other.size()) {}
  Array(Array&& other) noexcept = default;
  Array& operator=(Array other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }

  static Array constant(Index size, S value) {
    Array a(size);
    a.fill(value);
    return a;
  }
  static Array zeros(Index size) { return constant(size, S(0)); }
  static Array ones(Index size) { return constant(size, S(1)); }

  Index size() const { return size_; }
  S* data() { return data_.get(); }
  const S* data() const { return data_.get(); }
  S* begin() { return data(); }
  S* end() { return data() + size_; }
  const S* begin() const { return data(); }
  const S* end() const { return data() + size_; }
  S& operator[](Index i) { return data()[i]; }
  const S& operator[](Index i) const { return data()[i]; }

  Array segment(Index first, Index count) const { return Array(data() + first, count); }
  Array head(Index count) const { return segment(0, count); }
  Array tail(Index count) const { return segment(size_ - count, count); }
  void set(Index first, const Array& values) {
    std::copy(values.begin(), values.end(), data() + first);
  }
  void fill(S value) { std::fill(begin(), end(), value); }
  void fill(Index first, Index count, S value) {
    std::fill(data() + first, data() + first + count, value);
  }

  template <class F>
  auto map(F&& f) const {
    Array<decltype(f(S()))> out(size_);
    for (Index i = 0; i < size_; ++i) out[i] = f((*this)[i]);
    return out;
  }
  template <class T>
  Array<T> cast() const {
    return map([](S x) { return static_cast<T>(x); });
  }
  Array abs() const {
    return map([](S x) { return std::abs(x); });
  }
  Array<bool> is_nan() const {
    return map([](S x) { return std::isnan(x); });
  }
  Array<bool> is_finite() const {
    return map([](S x) { return std::isfinite(x); });
  }

  Index count() const { return std::count(begin(), end(), true); }
  bool all() const { return count() == size_; }
  bool any() const { return count() > 0; }
  S max() const { return *std::max_element(begin(), end()); }
  S sum() const {
    S total(0);
    for (const S& x : *this) total += x;
    return total;
  }
  S mean() const { return sum() / static_cast<S>(size_); }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(S* data) const { ::operator delete(data, alignment); }
  };
  static S* allocate(Index size) {
    return static_cast<S*>(::operator new(static_cast<std::size_t>(size) * sizeof(S), alignment));
  }
  static S rubbish() {
    if constexpr (std::is_floating_point_v<S>) return std::numeric_limits<S>::quiet_NaN();
    return std::numeric_limits<S>::max();
  }

  Index size_;
  std::unique_ptr<S, Free> data_;
};

template <class S, class F>
auto zip(const Array<S>& a, const Array<S>& b, F&& f) {
  Array<decltype(f(S(), S()))> out(a.size());
  for (Index i = 0; i < a.size(); ++i) out[i] = f(a[i], b[i]);
  return out;
}

// Element by element; one side may be a number.
#define CHECK_OPERATOR(op)                                         \
  template <class S>                                               \
  auto operator op(const Array<S>& a, const Array<S>& b) {         \
    return zip(a, b, [](S x, S y) { return x op y; });             \
  }                                                                \
  template <class S>                                               \
  auto operator op(const Array<S>& a, std::type_identity_t<S> y) { \
    return a.map([y](S x) { return x op y; });                     \
  }                                                                \
  template <class S>                                               \
  auto operator op(std::type_identity_t<S> x, const Array<S>& b) { \
    return b.map([x](S y) { return x op y; });                     \
  }
CHECK_OPERATOR(+)
CHECK_OPERATOR(-)
CHECK_OPERATOR(*)
CHECK_OPERATOR(/)
CHECK_OPERATOR(<)
CHECK_OPERATOR(<=)
CHECK_OPERATOR(>=)
CHECK_OPERATOR(==)
CHECK_OPERATOR(!=)
#undef CHECK_OPERATOR

}  // namespace check
