/** All that other packages may use. */
export { PRODUCTION_API_URL } from "./config.js";
