// Asks for a statement of the job as an action does, and prints it.
import { getIDToken } from "@actions/core";

const token = await getIDToken(process.env.AUDIENCE);
console.log(`token ${token}`);
