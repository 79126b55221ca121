/** The package ships no types; this is the part of its interface that the page uses. */
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface Options {
    domNode: HTMLElement;
    url: string;
    validatorUrl: null;
    tryItOutEnabled: boolean;
  }
  export default function SwaggerUI(options: Options): unknown;
}
