// pgfast._cpu: built for the baseline instruction set, so that it loads on any CPU of the family
// and can tell, before _core is loaded, whether this CPU has what _core was built for.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

namespace {

// PGFAST_REQUIRED_FEATURES lists the __FEATURE__ macros that the compiler defined under _core's
// flags.
const std::vector<std::string> required = {PGFAST_REQUIRED_FEATURES};

std::vector<std::string> supported() {
  std::vector<std::string> names;
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
#define PGFAST_ASK(name) \
  if (__builtin_cpu_supports(name)) names.emplace_back(name)
  PGFAST_ASK("sse3");
  PGFAST_ASK("ssse3");
  PGFAST_ASK("sse4.1");
  PGFAST_ASK("sse4.2");
  PGFAST_ASK("popcnt");
  PGFAST_ASK("lzcnt");
  PGFAST_ASK("movbe");
  PGFAST_ASK("f16c");
  PGFAST_ASK("avx");
  PGFAST_ASK("avx2");
  PGFAST_ASK("fma");
  PGFAST_ASK("bmi");
  PGFAST_ASK("bmi2");
  PGFAST_ASK("gfni");
  PGFAST_ASK("vaes");
  PGFAST_ASK("vpclmulqdq");
  PGFAST_ASK("avxvnni");
  PGFAST_ASK("avx512f");
  PGFAST_ASK("avx512bw");
  PGFAST_ASK("avx512cd");
  PGFAST_ASK("avx512dq");
  PGFAST_ASK("avx512vl");
  PGFAST_ASK("avx512ifma");
  PGFAST_ASK("avx512vbmi");
  PGFAST_ASK("avx512vbmi2");
  PGFAST_ASK("avx512vnni");
  PGFAST_ASK("avx512bitalg");
  PGFAST_ASK("avx512vpopcntdq");
  PGFAST_ASK("avx512bf16");
#undef PGFAST_ASK
#endif
  return names;
}

}  // namespace

PYBIND11_MODULE(_cpu, m) {
  m.doc() = "Which instruction sets _core was built for, and which this CPU has.";
  m.def("required", [] { return required; });
  m.def("supported", &supported);
}
