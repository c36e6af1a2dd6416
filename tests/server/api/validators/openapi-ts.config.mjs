// Zod validators of one published document. Times may have any zone, and must have one.

export default {
  input: process.env.SPECIFICATION,
  output: process.env.GENERATED,
  plugins: [{ name: 'zod', dates: { offset: true } }],
  logs: { level: 'silent' },
};
