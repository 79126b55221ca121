/** The package ships no types; this is the part of its interface that the page uses. */
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  type Resolve = (path: readonly string[]) => void;
  /** A part of Swagger UI that goes around actions of its state. */
  export type SwaggerPlugin = () => {
    statePlugins: { spec: { wrapActions: { requestResolvedSubtree: (resolve: Resolve) => Resolve } } };
  };
  interface Options {
    domNode: HTMLElement;
    url: string;
    validatorUrl: null;
    tryItOutEnabled: boolean;
    plugins: readonly SwaggerPlugin[];
  }
  export default function SwaggerUI(options: Options): unknown;
}
