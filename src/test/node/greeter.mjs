// greeter.mjs serve ADDRESS:PORT              example.Greeter, a gRPC service without TLS: SayHello, and Chat, which answers each message as it comes
// greeter.mjs call ADDRESS:PORT CERTIFICATE   calls it as www.example.com, trusting that certificate, with an address that is forged; prints what it hears
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";

const method = (name, stream) => ({
  path: `/example.Greeter/${name}`,
  requestStream: stream,
  responseStream: stream,
  requestSerialize: (text) => Buffer.from(text),
  requestDeserialize: String,
  responseSerialize: (text) => Buffer.from(text),
  responseDeserialize: String,
});
const greeter = { sayHello: method("SayHello", false), chat: method("Chat", true) };

function serve(address) {
  const server = new grpc.Server();
  server.addService(greeter, {
    sayHello({ request, metadata }, done) {
      const trailers = new grpc.Metadata();
      trailers.set("seen", metadata.get("x-real-ip").join());
      if (request === "?") done({ code: grpc.status.INVALID_ARGUMENT, details: "this is no name", metadata: trailers });
      else done(null, `Hello ${request}`, trailers);
    },
    chat(call) {
      call.on("data", (name) => call.write(`Hello ${name}`));
      call.on("end", () => call.end());
    },
  });
  server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
  });
}

async function call(address, certificate) {
  const name = "www.example.com";
  const client = new (grpc.makeClientConstructor(greeter, "Greeter"))(
    address,
    grpc.credentials.createSsl(readFileSync(certificate)),
    { "grpc.ssl_target_name_override": name, "grpc.default_authority": name, "grpc.enable_http_proxy": 0 },
  );
  const metadata = new grpc.Metadata();
  metadata.set("x-real-ip", "198.51.100.7");
  const deadline = Date.now() + 20000;
  const ended = (call) =>
    new Promise((resolve) => {
      call.on("error", () => {}); // its status says it
      call.on("status", ({ code, details, metadata }) => {
        console.log(grpc.status[code], details, metadata.get("seen").join());
        resolve();
      });
    });

  for (const name of ["Ada", "?"]) {
    await ended(client.sayHello(name, metadata, { deadline }, (error, greeting) => error || console.log(greeting)));
  }
  const chat = client.chat(metadata, { deadline });
  let number = 1;
  chat.on("data", (greeting) => {
    console.log(greeting);
    if (++number <= 3) chat.write(String(number));
    else chat.end();
  });
  chat.write("1");
  await ended(chat);
  client.close();
}

const [verb, ...words] = process.argv.slice(2);
await { serve, call }[verb](...words);
