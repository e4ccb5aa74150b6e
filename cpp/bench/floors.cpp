#include "floors.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

#include "fastcaloq/error.hpp"

namespace fastcaloq::bench {
namespace {

struct Shape {
  std::size_t m, k, n;
};

/// Matrices filled with something; shared by the calls of one product.
struct Matrices {
  explicit Matrices(Shape shape)
      : a(shape.m * shape.k, 0.5F), b(shape.k * shape.n, 0.25F), c(shape.m * shape.n) {}
  std::vector<float> a, b, c;
};

Product product(std::string library, Shape s, std::function<void()> call) {
  const auto text = [](std::size_t n) { return std::to_string(n); };
  return {std::move(library), text(s.m) + " x " + text(s.k) + " x " + text(s.n),
          2.0 * static_cast<double>(s.m) * static_cast<double>(s.k) * static_cast<double>(s.n),
          std::move(call)};
}

/// A layer of our own, `outputs` from `inputs` numbers of as many showers as the kernels carry together.
Product own(const kernels::KernelTable& kernels, std::size_t inputs, std::size_t outputs) {
  const kernels::MlpLayer layer{inputs, outputs, std::vector<float>(inputs * outputs, 0.25F),
                                std::vector<float>(outputs)};
  auto mlp = std::make_shared<kernels::PackedMlp>(
      std::vector<kernels::MlpLayer>{layer}, kernels::Activation::none, kernels::Activation::none);
  auto rows = std::make_shared<kernels::Workspace>((inputs + outputs) * kernels::kChunk);
  return product("fastcaloq", {outputs, inputs, kernels::kChunk}, [&kernels, mlp, rows, inputs] {
    kernels.dense(mlp->layers()[0], rows->data(), rows->data() + inputs * kernels::kChunk,
                  kernels::kChunk);
  });
}

/// Index is int, or std::int64_t where a library was built so.
template <typename Index>
std::function<void()> cblas(void* symbol, Shape s, const std::shared_ptr<Matrices>& m) {
  using Sgemm = void (*)(int order, int transpose_a, int transpose_b, Index m, Index n, Index k,
                         float alpha, const float* a, Index lda, const float* b, Index ldb,
                         float beta, float* c, Index ldc);
  constexpr int row_major = 101;
  constexpr int as_it_is = 111;
  return [sgemm = reinterpret_cast<Sgemm>(symbol), s, m] {
    const auto rows = static_cast<Index>(s.m), inner = static_cast<Index>(s.k),
               columns = static_cast<Index>(s.n);
    sgemm(row_major, as_it_is, as_it_is, rows, columns, inner, 1.0F, m->a.data(), inner,
          m->b.data(), columns, 0.0F, m->c.data(), columns);
  };
}

std::function<void()> dnnl(void* symbol, Shape s, const std::shared_ptr<Matrices>& m) {
  using Sgemm = int (*)(char transpose_a, char transpose_b, std::int64_t m, std::int64_t n,
                        std::int64_t k, float alpha, const float* a, std::int64_t lda,
                        const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);
  return [sgemm = reinterpret_cast<Sgemm>(symbol), s, m] {
    const auto rows = static_cast<std::int64_t>(s.m), inner = static_cast<std::int64_t>(s.k),
               columns = static_cast<std::int64_t>(s.n);
    sgemm('N', 'N', rows, columns, inner, 1.0F, m->a.data(), inner, m->b.data(), columns, 0.0F,
          m->c.data(), columns);
  };
}

/// The library's product of one shape; none where it has no product that we know of.
std::function<void()> find_product(void* library, Shape shape) {
  const auto matrices = std::make_shared<Matrices>(shape);
  if (void* symbol = dlsym(library, "dnnl_sgemm")) return dnnl(symbol, shape, matrices);
  for (const char* name : {"cblas_sgemm", "scipy_cblas_sgemm"}) {
    if (void* symbol = dlsym(library, name)) return cblas<int>(symbol, shape, matrices);
  }
  for (const char* name : {"cblas_sgemm64_", "scipy_cblas_sgemm64_"}) {
    if (void* symbol = dlsym(library, name)) return cblas<std::int64_t>(symbol, shape, matrices);
  }
  return nullptr;
}

constexpr Shape shapes[] = {{96, 512, 128}, {256, 256, 256}, {512, 512, 512}};

/// False where there is no such library, or none with a product; dlerror() may tell why.
bool add_products(const std::string& name, std::vector<Product>& found) {
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
  for (const Shape shape : shapes) {
    std::function<void()> call = find_product(library, shape);
    if (!call) return false;
    found.push_back(product(name, shape, std::move(call)));
  }
  return true;
}

}  // namespace

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("default", "avx2", "avx512f"), optimize("O3")))
#endif
std::uint32_t read_all(const void* data, std::size_t n) {
  const auto* words = static_cast<const std::uint32_t*>(data);
  std::uint32_t sum[64] = {};
  for (std::size_t i = 0; i + 64 <= n / 4; i += 64) {
    for (std::size_t j = 0; j < 64; ++j) sum[j] += words[i + j];
  }
  std::uint32_t total = 0;
  for (const std::uint32_t s : sum) total += s;
  return total;
}

std::vector<Product> products(const kernels::KernelTable& kernels,
                              const std::vector<std::string>& more) {
  for (const char* variable : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
    setenv(variable, "1", 1);
  }
  std::vector<Product> found{own(kernels, 256, 64), own(kernels, 512, 256)};
  for (const std::string& name : more) {
    if (!add_products(name, found)) {
      throw InputError(
          name +
          ": not a library with a matrix product (cblas_sgemm or dnnl_sgemm), so there "
          "is nothing to compare with: give the path of a BLAS or of oneDNN");
    }
  }
  for (const char* name :
       {"libdnnl.so.3", "libdnnl.so.2", "libopenblas.so.0", "libblis.so.4", "libmkl_rt.so.2"}) {
    const auto given = [name](const std::string& one) {
      return one.find(name) != std::string::npos;
    };
    if (std::none_of(more.begin(), more.end(), given)) add_products(name, found);
  }
  return found;
}

}  // namespace fastcaloq::bench
