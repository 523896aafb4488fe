// One multiply-add, of scalars or of Eigen's packets.
#pragma once

#include <cmath>
#include <type_traits>

#include "pgfast/arrays.hpp"

namespace pgfast {

// a b + c with one rounding where the hardware has it, in vectors and scalars alike. Left to the
// compiler, a loop may be contracted in one place and not in another, and a sample's last bit would
// depend on its neighbours.
template <class V>
EIGEN_STRONG_INLINE V multiply_add(V a, V b, V c) {
  if constexpr (!std::is_arithmetic_v<V>) {
    return Eigen::internal::pmadd(a, b, c);
  } else {
#ifdef FP_FAST_FMAF
    return std::fma(a, b, c);
#else
    return a * b + c;
#endif
  }
}

}  // namespace pgfast
