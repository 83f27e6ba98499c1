import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types of what the app asks, made of the schema that is committed beside the server's code. */
const config: CodegenConfig = {
  schema: "../../schema/schema.graphql",
  documents: "src/**/*.tsx",
  generates: {
    "src/gql/": {
      preset: "client",
      config: {
        enumsAsTypes: true,
        useTypeImports: true,
        // Times are RFC 3339, steps are numbers: exact up to 2^53.
        strictScalars: true,
        scalars: { DateTime: "string", BigInt: "number" },
      },
    },
  },
};

export default config;
