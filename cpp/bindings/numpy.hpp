// Everything that knows about NumPy: views in, views out, dtype dispatch, and the text of errors.
//
// A binding reads its arguments through an `Arguments`, which names the function in every message:
//
//   gae: values has shape (64, 8), expected (65, 8)
//
// Arrays are taken as they are, never converted: the dtype must match, the memory must be
// C-contiguous. Anything that NumPy can view without a copy (a CPU tensor, say) is taken too.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "pgfast/arrays.hpp"
#include "recycled.hpp"

namespace pgfast::bindings {

namespace py = pybind11;

using Shape = std::vector<py::ssize_t>;

// One expected dimension: a number, or the name of one that may be anything.
struct Dim {
  Dim(Index n) : value(n), name(nullptr) {}  // implicit, so that lists of dimensions read well
  Dim(const char* any) : value(-1), name(any) {}
  std::string text() const { return name ? name : std::to_string(value); }
  Index value;
  const char* name;
};

inline std::string tuple_text(const std::vector<std::string>& parts) {
  std::string text = "(";
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i ? ", " : "") + parts[i];
  return text + (parts.size() == 1 ? ",)" : ")");
}

inline Shape shape_of(const py::array& array) {
  return Shape(array.shape(), array.shape() + array.ndim());
}

inline std::string shape_text(const Shape& shape) {
  std::vector<std::string> parts;
  for (const auto n : shape) parts.push_back(std::to_string(n));
  return tuple_text(parts);
}

template <class S>
const char* dtype_name() {
  if constexpr (std::is_same_v<S, float>) return "float32";
  if constexpr (std::is_same_v<S, double>) return "float64";
  if constexpr (std::is_same_v<S, bool>) return "bool";
  if constexpr (std::is_same_v<S, std::int64_t>) return "int64";
  if constexpr (std::is_same_v<S, std::int32_t>) return "int32";
  if constexpr (std::is_same_v<S, std::uint64_t>) return "uint64";
}

// A checked array, kept alive as long as its data is read.
template <class S>
struct Input {
  py::array array;
  const S* data = nullptr;  // null where an optional argument was None
  Shape shape;

  Index size() const {
    Index n = 1;
    for (const auto d : shape) n *= d;
    return n;
  }
  ConstMatrixView<S> matrix() const { return {data, shape[0], shape[1]}; }
};

// A checked array that may be written to.
template <class S>
struct InPlace {
  py::array array;
  S* data;
  Index size;
};

// Samples with any leading dimensions, (B, ...) or (T, N, ...): what the leading ones are.
template <class S>
struct Batch : Input<S> {
  Shape leading;
  Index samples = 1;
};

class Arguments {
 public:
  explicit Arguments(std::string function) : function_(std::move(function)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw py::value_error(function_ + ": " + what);
  }
  [[noreturn]] void fail_type(const std::string& what) const {
    throw py::type_error(function_ + ": " + what);
  }

  py::array array(const char* name, py::handle value) const {
    if (py::isinstance<py::array>(value)) return py::reinterpret_borrow<py::array>(value);
    if (value.is_none()) fail_type(std::string(name) + " is None, expected an array");
    auto array = py::array::ensure(value);
    if (!array) {
      fail_type(std::string(name) + " is a " + type_name(value) + ", expected an array");
    }
    return array;
  }

  // f.operator()<S>() for the floating-point dtype of the argument that decides it.
  template <class F>
  auto dispatch(const char* name, py::handle value, F&& f) const {
    const py::array a = array(name, value);
    if (has_dtype<float>(a)) return f.template operator()<float>();
    if (has_dtype<double>(a)) return f.template operator()<double>();
    fail_type(std::string(name) + " has dtype " + dtype_text(a) + ", expected float32 or float64");
  }

  template <class S>
  Input<S> input(const char* name, py::handle value, const std::vector<Dim>& expected) const {
    Input<S> in = typed<S>(name, value);
    bool fits = in.shape.size() == expected.size();
    for (std::size_t i = 0; fits && i < expected.size(); ++i) {
      fits = expected[i].name ? in.shape[i] > 0 : in.shape[i] == expected[i].value;
    }
    if (!fits) fail_shape(name, in.shape, expected);
    return in;
  }

  template <class S>
  Input<S> finite_input(const char* name, py::handle value,
                        const std::vector<Dim>& expected) const {
    const auto in = input<S>(name, value, expected);
    const S* end = in.data + in.size();
    if (any_of(in.data, end, [](S x) { return !(std::abs(x) <= std::numeric_limits<S>::max()); })) {
      const S* bad = std::find_if(in.data, end, [](S x) { return !std::isfinite(x); });
      fail(std::string(name) + " holds " + std::to_string(*bad) + ", expected finite numbers");
    }
    return in;
  }

  template <class S>
  Input<S> optional(const char* name, py::handle value, const std::vector<Dim>& expected) const {
    return value.is_none() ? Input<S>{} : input<S>(name, value, expected);
  }

  // (..., trailing): at least one leading dimension and one sample.
  template <class S>
  Batch<S> batch(const char* name, py::handle value, const std::vector<Dim>& trailing) const {
    Batch<S> in{typed<S>(name, value), {}, 1};
    const std::size_t rank = in.shape.size(), fixed = trailing.size();
    bool fits = rank > fixed;
    for (std::size_t i = 0; fits && i < fixed; ++i) {
      const auto n = in.shape[rank - fixed + i];
      fits = trailing[i].name ? n > 0 : n == trailing[i].value;
    }
    if (fits) {
      in.leading.assign(in.shape.begin(), in.shape.end() - static_cast<std::ptrdiff_t>(fixed));
      for (const auto n : in.leading) in.samples *= n;
    }
    if (!fits || in.samples == 0) {
      std::vector<Dim> expected{"..."};
      expected.insert(expected.end(), trailing.begin(), trailing.end());
      fail_shape(name, in.shape, expected);
    }
    return in;
  }

  // Same leading dimensions as another argument's batch.
  template <class S>
  Input<S> alongside(const char* name, py::handle value, const Shape& leading) const {
    return input<S>(name, value, std::vector<Dim>(leading.begin(), leading.end()));
  }

  // Discrete actions alongside a batch, each in [0, count). int32 is widened; nothing else is
  // taken.
  Input<DiscreteAction> actions(const char* name, py::handle value, const Shape& leading,
                                Index count) const {
    py::array a = array(name, value);
    if (has_dtype<std::int32_t>(a)) a = py::array_t<DiscreteAction>::ensure(a);
    auto in = alongside<DiscreteAction>(name, a, leading);
    // Outside are those whose own sign is set, or that of count - 1 - x, which can't wrap where
    // neither is negative: three vector operations each.
    const DiscreteAction* end = in.data + in.size();
    const auto last = static_cast<std::uint64_t>(count - 1);
    std::uint64_t signs = 0;
    for (const DiscreteAction* x = in.data; x != end; ++x) {
      const auto bits = static_cast<std::uint64_t>(*x);
      signs |= bits | (last - bits);
    }
    if (signs >> 63 != 0) {
      const auto outside = [count](DiscreteAction x) { return x < 0 || x >= count; };
      fail(std::string(name) + " holds " + std::to_string(*std::find_if(in.data, end, outside)) +
           ", expected 0 <= action < " + std::to_string(count));
    }
    return in;
  }

  // The same for several discrete dimensions: (..., dims), dimension j in [0, sizes[j]).
  Input<DiscreteAction> multi_actions(const char* name, py::handle value, const Shape& leading,
                                      const std::vector<Index>& sizes) const {
    const auto dims = static_cast<Index>(sizes.size());
    Shape shape = leading;
    shape.push_back(dims);
    const auto in = actions(name, value, shape, *std::max_element(sizes.begin(), sizes.end()));
    for (Index i = 0; i < in.size(); ++i) {
      const Index j = i % dims, size = sizes[static_cast<std::size_t>(j)];
      if (in.data[i] >= size) {
        fail(std::string(name) + " holds " + std::to_string(in.data[i]) + " in dimension " +
             std::to_string(j) + ", expected 0 <= action < " + std::to_string(size));
      }
    }
    return in;
  }

  // A mask of actions in the shape of the logits, true = allowed, or None. The last axis holds the
  // dimensions one after the other, and each must allow an action.
  Input<bool> mask(const char* name, py::handle value, const Shape& shape,
                   const std::vector<Index>& sizes) const {
    if (value.is_none()) return {};
    const auto in = alongside<bool>(name, value, shape);
    Index sample = 0;
    for (const bool* flags = in.data; flags < in.data + in.size(); ++sample) {
      for (std::size_t j = 0; j < sizes.size(); flags += sizes[j++]) {
        if (std::find(flags, flags + sizes[j], true) != flags + sizes[j]) continue;
        fail(std::string(name) + " forbids every action of " +
             (sizes.size() > 1 ? "dimension " + std::to_string(j) + " of " : "") + "sample " +
             std::to_string(sample));
      }
    }
    return in;
  }

  // An array that the function changes in place: the caller's own, never a conversion of it.
  template <class S>
  InPlace<S> in_place(const char* name, py::handle value, const std::vector<Dim>& expected) const {
    if (!py::isinstance<py::array>(value)) {
      fail_type(std::string(name) + " is a " + type_name(value) + ", expected a NumPy array");
    }
    Input<S> in = input<S>(name, value, expected);
    if (!in.array.writeable()) fail(std::string(name) + " is read-only, expected a writable array");
    return {in.array, static_cast<S*>(in.array.mutable_data()), in.size()};
  }

  double unit_interval(const char* name, py::handle value) const {
    const char* expected = "a number in [0, 1]";
    const double x = number(name, value, expected);
    if (!(x >= 0 && x <= 1)) fail_number(name, x, expected);
    return x;
  }
  double not_negative(const char* name, py::handle value) const {
    const char* expected = "a finite number >= 0";
    const double x = number(name, value, expected);
    if (!(x >= 0 && std::isfinite(x))) fail_number(name, x, expected);
    return x;
  }
  // Infinity is taken.
  double positive(const char* name, py::handle value) const {
    const char* expected = "a number > 0";
    const double x = number(name, value, expected);
    if (!(x > 0)) fail_number(name, x, expected);
    return x;
  }
  double finite(const char* name, py::handle value) const {
    const char* expected = "a finite number";
    const double x = number(name, value, expected);
    if (!std::isfinite(x)) fail_number(name, x, expected);
    return x;
  }
  // A limit of at least 1; None means `otherwise`.
  Index limit(const char* name, py::handle value, Index otherwise) const {
    if (value.is_none()) return otherwise;
    if (!py::isinstance<py::int_>(value) && !PyIndex_Check(value.ptr())) {
      fail_type(std::string(name) + " is a " + type_name(value) + ", expected an int or None");
    }
    const Py_ssize_t n = PyNumber_AsSsize_t(value.ptr(), nullptr);  // clipped where it is too large
    return at_least(name, n, 1);
  }
  Index at_least(const char* name, Index value, Index least) const {
    if (value < least) {
      fail(std::string(name) + " is " + std::to_string(value) + ", expected at least " +
           std::to_string(least));
    }
    return value;
  }

 private:
  // Looks at all of them, in a loop that compilers turn into vector code.
  template <class S, class F>
  static bool any_of(const S* begin, const S* end, F&& f) {
    std::uint32_t any = 0;  // a bool would keep the loop scalar
    for (const S* x = begin; x != end; ++x) any |= static_cast<std::uint32_t>(f(*x));
    return any != 0;
  }

  template <class S>
  static bool has_dtype(const py::array& a) {
    return a.dtype().equal(py::dtype::of<S>());  // equivalent, not identical: a pickled one is not
  }

  static std::string type_name(py::handle value) {
    return py::str(py::type::of(value).attr("__name__")).cast<std::string>();
  }

  double number(const char* name, py::handle value, const char* expected) const {
    const double x = py::isinstance<py::bool_>(value) ? -1.0 : PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred() || py::isinstance<py::bool_>(value)) {
      PyErr_Clear();
      fail_type(std::string(name) + " is a " + type_name(value) + ", expected " + expected);
    }
    return x;
  }

  static std::string dtype_text(const py::array& a) {
    return py::str(a.dtype()).cast<std::string>();
  }

  template <class S>
  Input<S> typed(const char* name, py::handle value) const {
    py::array a = array(name, value);
    if (!has_dtype<S>(a)) {
      fail_type(std::string(name) + " has dtype " + dtype_text(a) + ", expected " +
                dtype_name<S>());
    }
    if (!(a.flags() & py::array::c_style)) {
      fail(std::string(name) + " has shape " + shape_text(shape_of(a)) + " and strides " +
           shape_text(Shape(a.strides(), a.strides() + a.ndim())) +
           ", expected a C-contiguous array (numpy.ascontiguousarray makes one)");
    }
    if (!(a.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) {
      fail(std::string(name) + " is not aligned in memory, expected an aligned array (a copy is)");
    }
    if constexpr (std::is_same_v<S, bool>) a = zeros_and_ones(a);
    return {a, static_cast<const S*>(a.data()), shape_of(a)};
  }

  // NumPy takes every byte but 0 for true, and a view of other numbers has such; C++ knows 1 alone.
  static py::array zeros_and_ones(const py::array& a) {
    const auto* bytes = static_cast<const std::uint8_t*>(a.data());
    const auto size = a.size();
    std::uint8_t all = 0;  // a loop over bytes alone, at the speed of memory
    for (py::ssize_t i = 0; i < size; ++i) all |= bytes[i];
    if (all <= 1) return a;
    py::array_t<bool> copy(shape_of(a));
    std::transform(bytes, bytes + size, copy.mutable_data(),
                   [](std::uint8_t byte) { return byte != 0; });
    return copy;
  }

  [[noreturn]] void fail_shape(const char* name, const Shape& shape,
                               const std::vector<Dim>& expected) const {
    std::vector<std::string> parts;
    bool any_name = false;
    for (const Dim& d : expected) {
      parts.push_back(d.text());
      any_name |= d.name != nullptr;
    }
    fail(std::string(name) + " has shape " + shape_text(shape) + ", expected " + tuple_text(parts) +
         (any_name ? " and no empty dimension" : ""));
  }

  [[noreturn]] void fail_number(const char* name, double value, const char* expected) const {
    fail(std::string(name) + " is " + py::repr(py::float_(value)).cast<std::string>() +
         ", expected " + expected);
  }

  std::string function_;
};

// A new array, its numbers anything. A large one is a view of a recycled block.
template <class S>
py::array_t<S> output(const Shape& shape) {
  std::size_t size = sizeof(S);
  for (const auto n : shape) size *= static_cast<std::size_t>(n);
  if (size < recycled_from) return py::array_t<S>(shape);
  const MemoryBlock* block = take_block(size);
  const py::capsule owner(
      block, [](void* pointer) { give_block_back(static_cast<const MemoryBlock*>(pointer)); });
  return py::array_t<S>(shape, static_cast<const S*>(block->data), owner);
}

inline Shape operator+(Shape leading, const Shape& trailing) {
  leading.insert(leading.end(), trailing.begin(), trailing.end());
  return leading;
}

template <class S>
MatrixView<S> matrix_of(py::array_t<S>& array) {
  return {array.mutable_data(), array.shape(0), array.shape(1)};
}

}  // namespace pgfast::bindings
