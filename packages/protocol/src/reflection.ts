// Server reflection, v1 and v1alpha, so that grpcurl and its like need no proto files.
import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import type { EnumTypeDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";

/** Has `server` describe `services`. Descriptors come from the generated code, not from files. */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = services.flatMap((service) => descriptorsOf(service.file));
  new ReflectionService({ files: toDefinition(files) }).addToServer(server);
}

/** A file and everything it imports, serialised; a file listed twice counts once. */
function descriptorsOf(file: DescFile): Buffer[] {
  const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
  return [Buffer.from(bytes), ...file.dependencies.flatMap(descriptorsOf)];
}

/** Of a package as proto-loader describes it, reflection reads only the files of its types. */
function toDefinition(fileDescriptorProtos: Buffer[]): EnumTypeDefinition {
  return { format: "Protocol Buffer 3 EnumDescriptorProto", type: {}, fileDescriptorProtos };
}
