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
                      InstanceMethod<&ExpertAddon::close>("close")});
}

// options: isa, threads, path, sizeBytes, format, hiddenSize, intermediateSize, and offsets:
// Float64Array of w1, w3, w2 (elements, scales) of each expert.
ExpertAddon::ExpertAddon(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ExpertAddon>(info) {
  withJsErrors(info.Env(), [&] { open(info.Env(), info[0].As<Napi::Object>()); });
}

void ExpertAddon::open(Napi::Env env, const Napi::Object& options) {
  const KernelTable& kernels = readKernels(options);
  const ExpertShape shape = {readFormat(options, "format"), readInteger(options, "hiddenSize"),
                             readInteger(options, "intermediateSize")};
  auto file = readFile(options);
  const Napi::Float64Array offsets = options.Get("offsets").As<Napi::Float64Array>();
  TensorReader tensors(*file, offsets);
  constexpr size_t offsetsPerExpert = 6;
  std::vector<ExpertMatrices> experts(offsets.ElementLength() / offsetsPerExpert);
  for (ExpertMatrices& expert : experts) {
    expert.w1 = tensors.matrix(shape.format, shape.intermediateSize, shape.hiddenSize);
    expert.w3 = tensors.matrix(shape.format, shape.intermediateSize, shape.hiddenSize);
    expert.w2 = tensors.matrix(shape.format, shape.hiddenSize, shape.intermediateSize);
  }
  const int threads = int(readInteger(options, "threads"));
  engine_ = std::make_unique<ExpertEngine>(kernels, shape, std::move(file), std::move(experts),
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

Napi::Value ExpertAddon::close(const Napi::CallbackInfo& info) {
  return host_->close(info.This().As<Napi::Object>(),
                      [this](ThreadPool&) { engine_.reset(); });
}

}  // namespace octet
