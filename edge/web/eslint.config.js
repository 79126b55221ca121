import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist*/", "node_modules/", "src/api.d.ts"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "max-lines": ["error", { max: 300, skipComments: true, skipBlankLines: true }],
      "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
      "max-len": ["error", { code: 120, ignoreUrls: true }],
      complexity: ["error", 14],
      eqeqeq: "error",
      "no-console": "error",
      "no-restricted-properties": [
        "error",
        { object: "crypto", property: "randomUUID", message: "absent on plain http in a LAN; use lib/ids" },
      ],
      "no-restricted-globals": ["error", { name: "localStorage", message: "may throw; use lib/store" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      // Numbers in texts are the point of these pages.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // An event handler may start work whose outcome lands in a signal.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
  // A test reads from top to bottom.
  { files: ["test/**"], rules: { "max-lines-per-function": "off" } },
  { files: ["*.js"], ...tseslint.configs.disableTypeChecked },
);
