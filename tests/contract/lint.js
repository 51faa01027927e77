// Says whether the file is a valid OpenAPI document. Exit code 0 or 1.
import { Validator } from "@seriousme/openapi-schema-validator";

const result = await new Validator().validate(process.argv[2]);
if (!result.valid) console.error(JSON.stringify(result.errors, null, 1));
process.exit(result.valid ? 0 : 1);
