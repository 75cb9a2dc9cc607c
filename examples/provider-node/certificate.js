// A self-signed certificate for one start (RFC 5280), which node:crypto can't make.
'use strict';

const crypto = require('node:crypto');

// tlv is a DER element: tag, length, value.
function tlv(tag, ...parts) {
  const value = Buffer.concat(parts);
  const n = value.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

const sequence = (...parts) => tlv(0x30, ...parts);
const oid = (hex) => tlv(0x06, Buffer.from(hex, 'hex'));
const utcTime = (date) =>
  tlv(0x17, Buffer.from(date.toISOString().replace(/[-:T]/g, '').slice(2, 14) + 'Z'));

const ecdsaWithSHA256 = sequence(oid('2a8648ce3d040302')); // 1.2.840.10045.4.3.2
const commonName = oid('550403'); // 2.5.4.3
const subjectAltName = oid('551d11'); // 2.5.29.17

// selfSigned returns a key and a certificate for localhost, as PEM, and the
// certificate as DER.
function selfSigned() {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(tlv(0x31, sequence(commonName, tlv(0x0c, Buffer.from('zen provider')))));
  const serial = crypto.randomBytes(16);
  serial[0] = (serial[0] & 0x3f) | 0x40; // positive, and 16 bytes long
  const hour = 3600e3;
  const signed = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))), // version 3
    tlv(0x02, serial),
    ecdsaWithSHA256,
    name,
    sequence(utcTime(new Date(Date.now() - hour)), utcTime(new Date(Date.now() + 10 * 365 * 24 * hour))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(sequence(subjectAltName, tlv(0x04, sequence(tlv(0x82, Buffer.from('localhost'))))))),
  );
  const signature = crypto.sign('sha256', signed, privateKey); // DER
  const der = sequence(signed, ecdsaWithSHA256, tlv(0x03, Buffer.from([0]), signature));
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
  return { der, certificate: Buffer.from(pem), key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

module.exports = { selfSigned };
