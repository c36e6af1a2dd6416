// Decodes answers as generated clients do: reads `[{schema, body}]`, prints what is wrong with each, in the same order.

import * as generated from './zod.gen.ts';

// The generator has its own mind about capitals.
const validators = Object.fromEntries(Object.entries(generated).map(([name, each]) => [name.toLowerCase(), each]));

let text = '';
for await (const part of process.stdin) {
  text += part;
}

const said = JSON.parse(text).map(({ schema, body }) => {
  const validator = validators[schema.toLowerCase()];
  if (validator === undefined) {
    return [`no validator ${schema}`];
  }
  const result = validator.safeParse(body);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
});
console.log(JSON.stringify(said));
