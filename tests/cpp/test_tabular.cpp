#include <vector>

#include "check.hpp"
#include "pgfast/gram.hpp"
#include "pgfast/tabular.hpp"

namespace pgfast {
namespace {

using check::Array;

// Rows of random probabilities.
Array<double> probabilities(Index rows, Index columns, std::uint64_t seed) {
  auto p = check::normals<double>(rows * columns, seed).abs();
  for (Index r = 0; r < rows; ++r) {
    const double sum = p.segment(r * columns, columns).sum();
    for (Index c = 0; c < columns; ++c) p[r * columns + c] /= sum;
  }
  return p;
}

struct Arrays {
  Index S = 5, A = 3;
  Array<double> P = probabilities(S * A, S, 1);
  Array<double> r = check::normals<double>(S * A, 2);
  Array<double> p0 = probabilities(1, S, 3);
  Array<double> pi = probabilities(S, A, 4);

  // Makes the last state one that no action leaves and that pays nothing.
  Arrays& with_end() {
    for (Index a = 0; a < A; ++a) {
      const Index pair = (S - 1) * A + a;
      r[pair] = 0;
      for (Index s = 0; s < S; ++s) P[pair * S + s] = s == S - 1;
    }
    return *this;
  }
  TabularMDP mdp(double gamma) const { return {P.data(), r.data(), p0.data(), S, A, gamma}; }
  Matrix policy() const { return Eigen::Map<const Matrix>(pi.data(), S, A); }
};

TEST(bellman, "Values, visits and the objective solve their equations, with and without an end.") {
  for (const bool ends : {false, true}) {
    for (const double gamma : {0.0, 0.9, 1.0}) {
      if (gamma == 1 && !ends) continue;
      CONTEXT("gamma = " << gamma << ", ends = " << ends);
      Arrays m;
      if (ends) m.with_end();
      const auto out = m.mdp(gamma).evaluate(m.policy());
      CHECK_EQ(out.stuck, -1);
      double J = 0;
      for (Index s = 0; s < m.S; ++s) {
        double V = 0, d = m.p0[s];
        for (Index a = 0; a < m.A; ++a) {
          double Q = m.r[s * m.A + a];
          for (Index next = 0; next < m.S; ++next) {
            Q += gamma * m.P[(s * m.A + a) * m.S + next] * out.values(next);
            d += gamma * out.visitation(next) * m.pi[next * m.A + a] *
                 m.P[(next * m.A + a) * m.S + s];
          }
          CHECK_NEAR(out.q(s, a), Q, 1e-13);
          V += m.pi[s * m.A + a] * Q;
        }
        CHECK_NEAR(out.values(s), V, 1e-13);
        CHECK_NEAR(out.visitation(s), ends && s == m.S - 1 ? 0 : d, 1e-12);
        J += m.p0[s] * V;
      }
      CHECK_NEAR(out.objective, J, 1e-13);
    }
  }
}

TEST(stuck, "Where no end can be reached with gamma 1, a state that can't is named.") {
  Arrays m;
  CHECK_EQ(m.mdp(1).evaluate(m.policy()).stuck, 0);
  std::vector<Index> best;
  CHECK_EQ(m.mdp(1).optimal(best).stuck, 0);
  m.with_end();
  CHECK(m.mdp(1).is_end(m.S - 1));
  for (Index i = 0; i < m.A * m.S; ++i) m.P[m.A * m.S + i] = i % m.S == 1;  // state 1 is a trap
  CHECK_EQ(m.mdp(1).evaluate(m.policy()).stuck, 1);
  CHECK_EQ(m.mdp(0.9).evaluate(m.policy()).stuck, -1);
}

TEST(optimum, "No deterministic policy is better in any state than policy iteration's.") {
  for (const double gamma : {0.5, 0.99, 1.0}) {
    Arrays m;
    m.with_end();
    std::vector<Index> chosen;
    const auto best = m.mdp(gamma).optimal(chosen);
    for (Index code = 0; code < 81; ++code) {  // the end's action does not matter
      Matrix policy = Matrix::Zero(m.S, m.A);
      for (Index s = 0, rest = code; s < m.S; ++s, rest /= 3) policy(s, rest % 3) = 1;
      const auto other = m.mdp(gamma).evaluate(policy);
      CHECK_EQ(other.stuck, -1);
      CHECK((other.values.array() <= best.values.array() + 1e-12).all());
    }
  }
}

TEST(all_ends, "An MDP of ends alone is worth nothing and has no step.") {
  const double P[] = {1, 0, 0, 1}, r[] = {0, 0}, p0[] = {0.5, 0.5};
  const TabularMDP mdp(P, r, p0, 2, 1, 1);
  const auto out = mdp.evaluate(Matrix::Ones(2, 1));
  CHECK_EQ(out.stuck, -1);
  CHECK_EQ(out.objective, 0.0);
  CHECK(out.visitation.isZero());
  std::vector<Index> best;
  CHECK(mdp.optimal(best).values.isZero());
}

TEST(natural,
     "The natural gradient of the pairs' logits solves F x = g, and so does the dense one.") {
  Arrays m;
  const auto mdp = m.with_end().mdp(0.9);
  const Matrix pi = m.policy();
  const auto out = mdp.evaluate(pi);
  const Index n = m.S * m.A;
  Matrix scores = Matrix::Zero(n, n);
  Vector weights(n);
  for (Index s = 0; s < m.S; ++s) {
    for (Index a = 0; a < m.A; ++a) {
      for (Index b = 0; b < m.A; ++b) scores(s * m.A + a, s * m.A + b) = (a == b) - pi(s, b);
      weights(s * m.A + a) = out.visitation(s) * pi(s, a);
    }
  }
  Matrix F(n, n);
  weighted_gram(scores.data(), weights.data(), n, n, F.data());
  CHECK((F - F.transpose()).isZero(0));
  const Matrix g = mdp.gradient(pi, out);
  Index rank;
  const Matrix x = mdp.natural_gradient(pi, out, rank);
  Vector dense(n);
  CHECK_EQ(semidefinite_solve(F.data(), g.data(), n, dense.data()), rank);
  CHECK_EQ(rank, (m.S - 1) * (m.A - 1));
  for (Index i = 0; i < n; ++i) {
    CHECK_NEAR(x.data()[i], dense[i], 1e-10);
    CHECK_NEAR(F.row(i).dot(Eigen::Map<const Vector>(x.data(), n)), g.data()[i], 1e-13);
  }
}

}  // namespace
}  // namespace pgfast
