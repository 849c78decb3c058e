// reader.mjs STREAM NEXT: as reader.py, with fetch and a POST.
import dns from "node:dns";

const site = "https://www.example.com";
const [stream, following] = process.argv.slice(2);
dns.lookup = (name, options, done) =>
  options.all ? done(null, [{ address: "203.0.113.80", family: 4 }]) : done(null, "203.0.113.80", 4);

const answer = await fetch(site + stream, { method: "POST", signal: AbortSignal.timeout(10000) });
console.log(answer.status, answer.headers.get("content-encoding"));
const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
let text = "";
for (let number = 1; number <= 5; number++) {
  while (text.split("\n\n").length <= number) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ended after ${text}`);
    text += value;
  }
  console.log(`line ${number}`);
  await (await fetch(site + following)).text();
}
