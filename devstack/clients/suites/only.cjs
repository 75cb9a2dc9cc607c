// Has hrana-client know one encoding alone: a file that Jest sets its tests up with.
const encoding = process.env.ENCODING;
const path = require("node:path");
const { subprotocolsV3 } = require(path.resolve("src/ws/client"));
for (const name of [...subprotocolsV3.keys()]) {
	if (name !== { protobuf: "hrana3-protobuf" }[encoding] && name !== encoding) subprotocolsV3.delete(name);
}
const { checkEndpoints } = require(path.resolve("src/http/client"));
const v3 = { versionPath: "v3", pipelinePath: "v3/pipeline", cursorPath: "v3/cursor", version: 3, encoding: "json" };
if (encoding !== "protobuf") checkEndpoints.splice(0, checkEndpoints.length, ...(encoding === "hrana3" ? [v3] : []));
checkEndpoints.push = () => checkEndpoints.length; // the tests would add one
