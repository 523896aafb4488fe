#include <bit>
#include <limits>

#include "check.hpp"
#include "pgfast/networks/hyperbolic_tangent.hpp"

namespace pgfast {
namespace {

using V = Eigen::internal::packet_traits<float>::type;
constexpr int width = Eigen::internal::unpacket_traits<V>::size;

struct Vector {
  float lane[width];

  V packet() const { return Eigen::internal::ploadu<V>(lane); }
  explicit Vector(V v) { Eigen::internal::pstoreu(lane, v); }
  explicit Vector(std::uint32_t first_bits) {
    for (int l = 0; l < width; ++l) {
      lane[l] = std::bit_cast<float>(first_bits + static_cast<std::uint32_t>(l));
    }
  }
};

TEST(accuracy, "Within 6 units of 2^-24 of the value, relative to it, over all finite numbers.") {
  double worst = 0;
  for (std::uint32_t bits = 0x00800000u; bits < 0x7f800000u - width; bits += width * 113) {
    const Vector x(bits), h(hyperbolic_tangent(x.packet()));
    for (int l = 0; l < width; ++l) {
      const double exact = std::tanh(static_cast<double>(x.lane[l]));
      worst = std::max(worst, std::abs(h.lane[l] - exact) / exact);
    }
  }
  CHECK(worst < 6 * 0x1p-24);
}

TEST(bounds, "Never beyond 1, odd, and 1 from where the next float below it is farther.") {
  for (std::uint32_t bits = 0; bits < 0x7f800000u - width; bits += width * 1009) {
    const Vector x(bits), h(hyperbolic_tangent(x.packet())),
        negative(hyperbolic_tangent(Eigen::internal::pnegate(x.packet())));
    for (int l = 0; l < width; ++l) {
      CHECK(h.lane[l] <= 1 && h.lane[l] >= 0);
      CHECK_EQ(negative.lane[l], -h.lane[l]);
      if (x.lane[l] > 10) CHECK_EQ(h.lane[l], 1.0f);
    }
  }
}

TEST(specials, "NaN stays, infinities become 1 and -1, zeros keep their sign.") {
  const auto of = [](float x) {
    return Vector(hyperbolic_tangent(Eigen::internal::pset1<V>(x))).lane[width - 1];
  };
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(std::isnan(of(std::numeric_limits<float>::quiet_NaN())));
  CHECK_EQ(of(infinity), 1.0f);
  CHECK_EQ(of(-infinity), -1.0f);
  CHECK_EQ(of(0.0f), 0.0f);
  CHECK(std::signbit(of(-0.0f)) && !std::signbit(of(0.0f)));
}

}  // namespace
}  // namespace pgfast
