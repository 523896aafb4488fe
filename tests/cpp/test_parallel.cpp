#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "pgfast/parallel.hpp"
#include "threads.hpp"

#ifdef __SANITIZE_THREAD__
// A child of a process with threads starts threads of its own here, which is what is tested.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }
#endif

namespace pgfast {
namespace {

using check::Array;

// Counters without atomics: a block that ran twice at the same time, or whose end the caller
// doesn't wait for, is a data race that ThreadSanitizer sees.
bool runs_every_block_once(Index blocks, Index block_ns = worth_a_thread) {
  std::vector<int> counts(static_cast<std::size_t>(blocks));
  parallel_for(blocks, block_ns, [&](Index block) { ++counts[static_cast<std::size_t>(block)]; });
  return std::all_of(counts.begin(), counts.end(), [](int count) { return count == 1; });
}

// Whether f() is true in a forked child; a child that hangs is ended by its alarm. Late helpers get
// time to fall asleep, because the sanitizers' allocators don't survive a fork from under a thread.
template <class F>
bool true_in_child(F&& f) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
#endif
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(f() ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// First, while no team is there yet: each child makes its own.
TEST(environment_variable,
     "PGFAST_NUM_THREADS gives the number of threads where it is positive, else the processors "
     "do.") {
  const auto threads_for = [](const char* text, auto holds) {
    return true_in_child([&] {
      text ? setenv("PGFAST_NUM_THREADS", text, 1) : unsetenv("PGFAST_NUM_THREADS");
      return holds(ThreadTeam::instance().num_threads());
    });
  };
  const auto processors = [](int n) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && n == CPU_COUNT(&set);
  };
  CHECK(threads_for("3", [](int n) { return n == 3; }));
  CHECK(threads_for("17", [](int n) { return n == 17; }));
  for (const char* text : {"0", "-2", "", "many"}) {
    CONTEXT("PGFAST_NUM_THREADS=" << text);
    CHECK(threads_for(text, processors));
  }
  CHECK(threads_for(nullptr, processors));
}

TEST(every_block_once,
     "Every block runs exactly once, on 1 to 4 threads, however long it is said to take.") {
  for (const int threads : {1, 2, 3, 4}) {
    const check::NumThreads use(threads);
    for (const Index blocks : {0, 1, 2, 3, 7, 64, 1000}) {
      for (const Index block_ns : {Index{0}, Index{1}, worth_a_thread / 3, 100 * worth_a_thread}) {
        CONTEXT(threads << " threads, " << blocks << " blocks of ns " << block_ns);
        CHECK(runs_every_block_once(blocks, block_ns));
      }
    }
  }
}

TEST(two_lists, "All blocks of two lists run once, however many each of them has.") {
  for (const int threads : {1, 2, 3, 4}) {
    const check::NumThreads use(threads);
    for (const Index first : {0, 1, 2, 7, 64}) {
      for (const Index second : {0, 1, 3, 64}) {
        CONTEXT(threads << " threads, " << first << " and " << second << " blocks");
        std::vector<int> counts(static_cast<std::size_t>(first + second));
        const auto count = [&](Index block) { ++counts[static_cast<std::size_t>(block)]; };
        const auto count_behind = [&](Index block) { count(first + block); };
        parallel_for(Blocks{first, worth_a_thread, count},
                     Blocks{second, worth_a_thread, count_behind});
        CHECK(std::all_of(counts.begin(), counts.end(), [](int c) { return c == 1; }));
      }
    }
  }
}

// Whether a block of each list ran at the same time, the first one's on the calling thread and the
// second one's on another. Not for ever, see blocks_meet.
bool lists_meet() {
  const auto caller = std::this_thread::get_id();
  std::atomic<int> running{0};
  std::atomic<bool> met{false}, own{true};
  const auto meet = [&](bool mine) {
    own = own && (std::this_thread::get_id() == caller) == mine;
    if (++running == 2) met = true;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    while (!met && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  };
  const auto first = [&](Index) { meet(true); };
  const auto second = [&](Index) { meet(false); };
  parallel_for(Blocks{1, worth_a_thread, first}, Blocks{1, worth_a_thread, second});
  return met && own;
}

TEST(own_list, "The caller begins with the first list, a helper with the second.") {
  const check::NumThreads use(2);
  bool met = false;
  for (int attempt = 0; attempt < 300 && !met; ++attempt) met = lists_meet();
  CHECK(met);
}

TEST(many_short_calls, "Calls in quick succession don't disturb each other's late helpers.") {
  const check::NumThreads use(4);
  for (int call = 0; call < 2000; ++call) CHECK(runs_every_block_once(1 + call % 9));
}

TEST(small_work, "Work that is not worth two threads stays on the calling thread.") {
  const check::NumThreads use(4);
  const auto caller = std::this_thread::get_id();
  std::vector<std::thread::id> ids(199);
  parallel_for(199, worth_a_thread / 100,
               [&](Index b) { ids[static_cast<std::size_t>(b)] = std::this_thread::get_id(); });
  for (const auto id : ids) CHECK(id == caller);
}

// Whether n blocks on n threads meet: each waits until all of them run, but not for ever, because a
// helper may come too late (a machine that has other work, a queue full of late helpers).
bool blocks_meet(int n) {
  std::atomic<int> running{0};
  std::atomic<bool> met{false};
  parallel_for(n, worth_a_thread, [&](Index) {
    if (++running == n) met = true;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    while (!met && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  });
  return met;
}

TEST(at_the_same_time, "Blocks run at the same time on as many threads as are allowed.") {
  for (const int n : {2, 3, 4}) {
    CONTEXT(n << " threads");
    const check::NumThreads use(n);
    bool met = false;
    for (int attempt = 0; attempt < 300 && !met; ++attempt) met = blocks_meet(n);
    CHECK(met);
  }
}

TEST(not_more_threads, "A call runs on no more threads than are allowed, also after it was more.") {
  for (const int n : {4, 2, 1}) {
    CONTEXT(n << " threads");
    const check::NumThreads use(n);
    std::vector<std::thread::id> ids(5000);
    parallel_for(5000, worth_a_thread,
                 [&](Index b) { ids[static_cast<std::size_t>(b)] = std::this_thread::get_id(); });
    CHECK(std::set<std::thread::id>(ids.begin(), ids.end()).size() <= static_cast<std::size_t>(n));
  }
}

TEST(sample_blocks,
     "A batch is cut into at most 64 blocks of whole tiles that cover it in order.") {
  for (const Index batch : {0, 1, 31, 512, 513, 5000, 32768, 32769, 40000, 1000003}) {
    CONTEXT("batch " << batch);
    for (const double ns : {0.3, 10.0, 39.0, 150.0, 1e5}) {
      CONTEXT("of " << ns << " ns");
      const SampleBlocks blocks(batch, ns);
      CHECK(blocks.count() <= 64);
      CHECK_EQ(blocks.block_size() % tile_rows, 0);
      CHECK(blocks.block_size() >= 256);
      CHECK(static_cast<double>(blocks.block_size() + 1) * ns >= worth_a_thread / 2);
      const double work = static_cast<double>(batch) * ns;
      CHECK(static_cast<double>(blocks.count() * blocks.block_ns()) <= work);
      CHECK(static_cast<double>(blocks.count() * (blocks.block_ns() + 1)) >= work - 1);
      Index end = 0;
      for (Index b = 0; b < blocks.count(); ++b) {
        CHECK_EQ(blocks.begin(b), end);
        CHECK(blocks.end(b) > end);
        end = blocks.end(b);
      }
      CHECK_EQ(end, batch);
    }
  }
}

TEST(sample_block_sizes, "256 samples each or as asked, more of little work and for at most 64.") {
  for (const Index n : {1, 512, 64 * 256}) CHECK_EQ(SampleBlocks(n, 150).block_size(), 256);
  for (const Index n : {1, 256, 64 * 128}) CHECK_EQ(SampleBlocks(n, 150, 128).block_size(), 128);
  CHECK_EQ(SampleBlocks(64 * 128 + 1, 150, 128).block_size(), 160);
  CHECK_EQ(SampleBlocks(256, 10).block_size(), 512);
}

TEST(every_sample_once, "for_each_block passes every sample once.") {
  const check::NumThreads use(3);
  for (const Index batch : {0, 1, 512, 513, 40000}) {
    Array<int> seen = Array<int>::zeros(batch);
    for_each_block(batch, 20, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) ++seen[i];
    });
    CHECK((seen == 1).all());
  }
}

// The sum of x_i times (1, 2, ..., size), and what sum_over_blocks must give: partial sums of
// blocks, added in block order.
template <class S>
void add_samples(const Array<S>& x, Index begin, Index end, Index size, S* out) {
  for (Index i = begin; i < end; ++i) {
    for (Index j = 0; j < size; ++j) out[j] += x[i] * static_cast<S>(j + 1);
  }
}

TEST(ordered_sums, "Sums have the same bits on 1 to 4 threads: those of blocks in order.") {
  check::for_each_scalar([]<class S>() {
    for (const Index batch : {0, 1, 511, 512, 513, 5000, 40000}) {
      for (const Index size : {1, 3, 33}) {
        CONTEXT("batch " << batch << ", size " << size);
        const Array<S> x = check::normals<S>(batch, 1);
        Array<S> expected = Array<S>::zeros(size);
        const SampleBlocks blocks(batch, 20);
        for (Index b = 0; b < blocks.count(); ++b) {
          Array<S> partial = Array<S>::zeros(size);
          add_samples(x, blocks.begin(b), blocks.end(b), size, partial.data());
          for (Index j = 0; j < size; ++j) expected[j] += partial[j];
        }
        for (const int threads : {1, 2, 3, 4}) {
          CONTEXT(threads << " threads");
          const check::NumThreads use(threads);
          Array<S> sum = Array<S>::constant(size, S{99});
          sum_over_blocks(batch, 20, size, sum.data(), [&](Index begin, Index end, S* partial) {
            add_samples(x, begin, end, size, partial);
          });
          CHECK_SAME(sum, expected);
        }
      }
    }
  });
}

TEST(nested, "A block may itself call parallel_for.") {
  for (const int threads : {1, 2, 4}) {
    const check::NumThreads use(threads);
    for (int call = 0; call < 50; ++call) {
      std::vector<char> inner(8);
      parallel_for(8, worth_a_thread, [&](Index b) {
        inner[static_cast<std::size_t>(b)] = runs_every_block_once(16);
      });
      for (const char each : inner) CHECK(each);
    }
  }
}

TEST(exceptions,
     "A block's exception comes out of the call, whose other blocks are all waited for.") {
  for (const int threads : {1, 2, 3, 4}) {
    CONTEXT(threads << " threads");
    const check::NumThreads use(threads);
    for (int call = 0; call < 100; ++call) {
      std::vector<int> counts(50);
      std::string seen;
      try {
        parallel_for(50, worth_a_thread, [&](Index block) {
          ++counts[static_cast<std::size_t>(block)];
          if (block % 20 == 7) throw std::runtime_error("block");
        });
      } catch (const std::runtime_error& error) {
        seen = error.what();
      }
      CHECK_EQ(seen, "block");
      CHECK(std::all_of(counts.begin(), counts.end(), [](int count) { return count <= 1; }));
    }
    CHECK(runs_every_block_once(100));
  }
}

TEST(exceptions_of_either, "An exception of the second list comes out as one of the first does.") {
  for (const int threads : {1, 2, 4}) {
    CONTEXT(threads << " threads");
    const check::NumThreads use(threads);
    for (const int fails : {0, 1}) {
      std::string seen;
      const auto list = [&](int which) {
        return [=](Index block) {
          if (which == fails && block == 3) throw std::runtime_error("block");
        };
      };
      const auto first = list(0), second = list(1);
      try {
        parallel_for(Blocks{5, worth_a_thread, first}, Blocks{5, worth_a_thread, second});
      } catch (const std::runtime_error& error) {
        seen = error.what();
      }
      CHECK_EQ(seen, "block");
    }
  }
}

TEST(concurrent_callers,
     "Several threads may call at once, also while the number of threads changes.") {
  const check::NumThreads use(2);
  std::vector<char> good(4, 1);
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < good.size(); ++caller) {
    callers.emplace_back([&good, caller] {
      for (int call = 0; call < 300; ++call) {
        if (caller == 0) ThreadTeam::instance().set_num_threads(1 + call % 6);
        if (!runs_every_block_once(20)) good[caller] = 0;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const char each : good) CHECK(each);
}

TEST(after_fork, "A forked child, which inherits no threads, still does all its work.") {
  const check::NumThreads use(4);
  CHECK(runs_every_block_once(100));
  const auto works = [] {
    for (int call = 0; call < 20; ++call) {
      if (!runs_every_block_once(100)) return false;
    }
    return true;
  };
  for (int child = 0; child < 5; ++child) CHECK(true_in_child(works));
  CHECK(true_in_child([&] { return works() && true_in_child(works); }));  // a child's child
  CHECK(works());
}

TEST(no_more_threads,
     "Where the system refuses another thread, those that are there do the work.") {
  CHECK(true_in_child([] {
    for (const int granted : {1, 2}) {
      ThreadTeam::instance().set_num_threads(granted);
      if (!runs_every_block_once(100)) return false;
      pthread_attr_t attributes;  // of threads whose stack no system has the addresses for
      pthread_attr_init(&attributes);
      pthread_attr_setstacksize(&attributes, std::size_t{1} << 47);
      if (pthread_setattr_default_np(&attributes) != 0) return false;
      try {
        std::thread([] {}).join();
        return false;
      } catch (const std::system_error&) {
      }
      ThreadTeam::instance().set_num_threads(6);
      for (int call = 0; call < 5; ++call) {
        if (!runs_every_block_once(100)) return false;
      }
      pthread_attr_setstacksize(&attributes, std::size_t{1} << 20);
      pthread_setattr_default_np(&attributes);
    }
    return runs_every_block_once(100);  // and now there are some
  }));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(fork_while_busy, "A child that is forked while another thread is at work still works.") {
  const check::NumThreads use(3);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) runs_every_block_once(50);
  });
  bool good = true;
  for (int child = 0; child < 20; ++child) {
    good &= true_in_child([] { return runs_every_block_once(100); });
  }
  stop = true;
  busy.join();
  CHECK(good);
}
#endif

}  // namespace
}  // namespace pgfast
