#include "pgfast/work_memory.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

struct Piece {
  int users = 0, loops = 0;
};

TEST(turns,
     "A piece that was given back is lent again; only where all are in use a new one is made.") {
  WorkMemory<Piece> memory;
  int made = 0;
  const auto make = [&] {
    ++made;
    return std::make_unique<Piece>();
  };
  const Piece* first = nullptr;
  {
    const auto one = memory.borrow(make);
    first = one.get();
  }
  {
    const auto again = memory.borrow(make), other = memory.borrow(make);
    CHECK(again.get() == first);
    CHECK(other.get() != first);
  }
  CHECK_EQ(made, 2);
  memory.for_each([](Piece& piece) { ++piece.loops; });
  const auto one = memory.borrow(make), two = memory.borrow(make);
  CHECK_EQ(one->loops, 1);
  CHECK_EQ(two->loops, 1);
  CHECK_EQ(made, 2);
}

TEST(on_threads,
     "No two blocks have the same piece at once, and no more are made than threads run.") {
  const check::NumThreads use(4);
  WorkMemory<Piece> memory;
  std::atomic<int> made{0}, shared{0}, running{0};
  parallel_for(1000, worth_a_thread, [&](Index block) {
    ++running;  // the first block waits for a second thread, but not for ever
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    while (block == 0 && running < 2 && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
    }
    const auto piece = memory.borrow([&] {
      ++made;
      return std::make_unique<Piece>();
    });
    if (++piece->users != 1) ++shared;  // not atomic: sharing is a data race, too
    --piece->users;
  });
  CHECK_EQ(shared.load(), 0);
  CHECK(made.load() <= 4);
}

TEST(failure, "Where no new piece can be made, the error comes through and the others are there.") {
  WorkMemory<Piece> memory;
  const auto make = [] { return std::make_unique<Piece>(); };
  const auto one = memory.borrow(make);
  bool refused = false;
  try {
    memory.borrow([]() -> std::unique_ptr<Piece> { throw std::bad_alloc(); });
  } catch (const std::bad_alloc&) {
    refused = true;
  }
  CHECK(refused);
  const auto two = memory.borrow(make);
  CHECK(one.get() != two.get());
}

}  // namespace
}  // namespace pgfast
