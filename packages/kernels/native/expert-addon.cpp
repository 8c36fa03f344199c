// ExpertEngine for JavaScript.
#include "expert-addon.h"

#include <utility>

#include "expert-engine.h"
#include "js-error.h"
#include "native-options.h"

namespace octet {

Napi::Function ExpertAddon::define(Napi::Env env) {
  return DefineClass(env, "NativeExpertEngine",
                     {InstanceMethod<&ExpertAddon::forward>("forward"),
                      InstanceMethod<&ExpertAddon::populate>("populate"),
                      InstanceMethod<&ExpertAddon::close>("close")});
}

// options: isa, threads, format, hiddenSize, intermediateSize, files: { path, sizeBytes }[], and
// offsets: Float64Array of w1, w3, w2 (index of the file, elements, scales) of each expert.
ExpertAddon::ExpertAddon(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ExpertAddon>(info) {
  withJsErrors(info.Env(), [&] { open(info.Env(), info[0].As<Napi::Object>()); });
}

void ExpertAddon::open(Napi::Env env, const Napi::Object& options) {
  const KernelTable& kernels = readKernels(options);
  const ExpertShape shape = {readFormat(options, "format"), readInteger(options, "hiddenSize"),
                             readInteger(options, "intermediateSize")};
  const Napi::Array from = options.Get("files").As<Napi::Array>();
  std::vector<std::unique_ptr<MappedFile>> files;
  for (uint32_t i = 0; i < from.Length(); i++) {
    files.push_back(readFile(from.Get(i).As<Napi::Object>()));
  }
  const Napi::Float64Array offsets = options.Get("offsets").As<Napi::Float64Array>();
  const double* next = offsets.Data();
  const auto matrix = [&](int64_t rows, int64_t cols) {
    const MappedFile& file = *files[size_t(*next++)];
    TensorReader tensors(file, next);
    const Matrix found = tensors.matrix(shape.format, rows, cols);
    next = tensors.left();
    return found;
  };
  constexpr size_t offsetsPerExpert = 9;
  std::vector<ExpertMatrices> experts(offsets.ElementLength() / offsetsPerExpert);
  for (ExpertMatrices& expert : experts) {
    expert.w1 = matrix(shape.intermediateSize, shape.hiddenSize);
    expert.w3 = matrix(shape.intermediateSize, shape.hiddenSize);
    expert.w2 = matrix(shape.hiddenSize, shape.intermediateSize);
  }
  const int threads = int(readInteger(options, "threads"));
  engine_ = std::make_unique<ExpertEngine>(kernels, shape, std::move(files), std::move(experts),
                                           threads);
  host_ = std::make_unique<AsyncHost>(env, threads);
}

// forward(expert, input: Uint8Array, rows, output: Uint8Array): Promise<void>
Napi::Value ExpertAddon::forward(const Napi::CallbackInfo& info) {
  const size_t expert = size_t(info[0].As<Napi::Number>().Int64Value());
  const uint8_t* input = info[1].As<Napi::Uint8Array>().Data();
  const int64_t rows = info[2].As<Napi::Number>().Int64Value();
  uint8_t* output = info[3].As<Napi::Uint8Array>().Data();
  Napi::Array keepAlive = Napi::Array::New(info.Env());
  keepAlive.Set(0u, info.This());
  keepAlive.Set(1u, info[1]);
  keepAlive.Set(2u, info[3]);
  return host_->submit(keepAlive, [=](ThreadPool& pool) {
    engine_->forward(pool, expert, input, rows, output);
  });
}

// populate(): Promise<void>, once the weights are in this process's map.
Napi::Value ExpertAddon::populate(const Napi::CallbackInfo& info) {
  return host_->submit(info.This().As<Napi::Object>(),
                       [this](ThreadPool& pool) { engine_->populate(pool); });
}

Napi::Value ExpertAddon::close(const Napi::CallbackInfo& info) {
  return host_->close(info.This().As<Napi::Object>(),
                      [this](ThreadPool&) { engine_.reset(); });
}

}  // namespace octet
