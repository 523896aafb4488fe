#include <algorithm>

#include "check.hpp"
#include "pgfast/philox.hpp"

namespace pgfast {
namespace {

TEST(known_answers, "Philox4x32-10 gives the known answers that Random123 publishes.") {
  const std::uint32_t ones = 0xffffffffu;
  CHECK((philox({0, 0, 0, 0}, 0, 0) ==
         PhiloxBlock{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  CHECK((philox({ones, ones, ones, ones}, ones, ones) ==
         PhiloxBlock{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  CHECK((philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, 0xa4093822u, 0x299f31d0u) ==
         PhiloxBlock{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

TEST(lanes, "Lanes with counters and keys of their own give what each gives alone.") {
  const std::uint32_t values[] = {0, 1, ~0u, 0x243f6a88u, 0x80000000u, 0x13198a2eu, 7};
  std::uint32_t counters[4][32], keys[2][32];
  std::size_t at = 0;
  for (std::uint32_t l = 0; l < 32; ++l) {
    for (auto& word : counters) word[l] = values[++at % 7] + l;
    for (auto& word : keys) word[l] = values[(at += 2) % 7] - 5 * l;
  }
  std::uint32_t results[4][32];
  std::copy_n(counters[0], 4 * 32, results[0]);
  philox_lanes(results, keys);
  for (std::size_t l = 0; l < 32; ++l) {
    const PhiloxBlock alone = philox(
        {counters[0][l], counters[1][l], counters[2][l], counters[3][l]}, keys[0][l], keys[1][l]);
    for (std::size_t word = 0; word < 4; ++word) CHECK_EQ(results[word][l], alone[word]);
  }
}

}  // namespace
}  // namespace pgfast
