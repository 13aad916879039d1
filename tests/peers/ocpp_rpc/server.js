// A CSMS on npm `ocpp-rpc` in strict mode: its validator checks every frame of both directions.
//   node server.js CONFIG-AS-JSON        commands as JSON lines on stdin, events as JSON lines on stdout
// What the configuration and the commands are is said in ../ocpp_rpc_csms.py, which starts this.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const readline = require('readline');
const { createRPCError, createValidator, RPCServer, NOREPLY } = require('ocpp-rpc');

const settings = Object.assign({
    host: '127.0.0.1', port: 0, protocols: ['ocpp2.1'], schemas: null, tls: null, passwords: null, clientCertificate: false,
    bootStatus: 'Accepted', interval: 300, tokens: {}, unknownToken: 'Invalid', answers: {}, callTimeoutMs: 10000, pingIntervalMs: 0,
}, JSON.parse(process.argv[2] ?? '{}'));
const clients = new Map();

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const words = (error) => ({
    code: error.rpcErrorCode ?? error.name, description: error.message || error.rpcErrorMessage || '', details: error.details ?? {},
});
const now = () => new Date().toISOString();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The schemas' own names, as ocpp-rpc looks them up: urn:<Action>.req and urn:<Action>.conf.
function schemasOf(folder) {
    return fs.readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) =>
        JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')));
}

function tokenInfo({ idToken, type }) {
    if (type === 'NoAuthorization' || type === 'Central') return { status: 'Accepted' };
    return { status: settings.tokens[idToken] ?? settings.unknownToken };
}

const empty = () => ({});
const decent = {
    BootNotification: () => ({ currentTime: now(), interval: settings.interval, status: settings.bootStatus }),
    Heartbeat: () => ({ currentTime: now() }),
    Authorize: (request) => ({ idTokenInfo: tokenInfo(request.idToken) }),
    TransactionEvent: (request) => (request.idToken ? { idTokenInfo: tokenInfo(request.idToken) } : {}),
    DataTransfer: () => ({ status: 'UnknownVendorId' }),
    SignCertificate: () => ({ status: 'Rejected' }),
    GetCertificateStatus: () => ({ status: 'Failed' }),
    Get15118EVCertificate: () => ({ status: 'Failed', exiResponse: '' }),
    NotifyEVChargingNeeds: () => ({ status: 'Accepted' }),
    NotifyEVChargingSchedule: () => ({ status: 'Accepted' }),
};
for (const action of [
    'StatusNotification', 'MeterValues', 'NotifyEvent', 'NotifyReport', 'NotifyMonitoringReport', 'NotifyDisplayMessages',
    'NotifyCustomerInformation', 'NotifyChargingLimit', 'NotifyDERAlarm', 'NotifyDERStartStop', 'NotifyPriorityCharging', 'NotifySettlement',
    'ClearedChargingLimit', 'FirmwareStatusNotification', 'PublishFirmwareStatusNotification', 'LogStatusNotification',
    'ReportChargingProfiles', 'ReportDERControl', 'ReservationStatusUpdate', 'SecurityEventNotification',
]) decent[action] = empty;

// An entry of `answers` replaces the decent answer: {payload} | {error, description} | {never: true}, each with `delayMs` and `times`.
async function answer({ method, params }) {
    const entry = settings.answers[method];
    if (entry) {
        if (entry.times !== undefined && --entry.times <= 0) delete settings.answers[method];
        if (entry.delayMs) await sleep(entry.delayMs);
        if (entry.never) return NOREPLY;
        if (entry.error) throw createRPCError(entry.error, entry.description ?? '', entry.details ?? {});
        if (entry.payload) return entry.payload;
    }
    if (!decent[method]) throw createRPCError('NotImplemented', `this CSMS knows no ${method}`);
    return decent[method](params);
}

function admit(client) {
    const id = client.identity;
    const socket = client.handshake.request.socket;
    clients.set(id, client);
    say({
        event: 'connected', client: id, protocol: client.protocol, url: client.handshake.request.url,
        tls: socket.getProtocol?.() ?? null, cipher: socket.getCipher?.().name ?? null, subject: socket.getPeerCertificate?.()?.subject?.CN ?? null,
    });
    client.handle(answer);
    client.on('message', ({ message, outbound }) => say({ event: 'frame', client: id, direction: outbound ? 'out' : 'in', text: message }));
    client.on('strictValidationFailure', ({ messageId, method, outbound, isCall, error }) =>
        say({ event: 'invalid', client: id, messageId, action: method, direction: outbound ? 'out' : 'in', isCall, ...words(error) }));
    client.on('badMessage', ({ buffer, error }) => say({ event: 'bad', client: id, text: String(buffer), ...words(error) }));
    client.on('close', ({ code, reason }) => {
        if (clients.get(id) === client) clients.delete(id);
        say({ event: 'disconnected', client: id, code, reason: String(reason ?? '') });
    });
}

function authorise(accept, reject, { identity, password, request, protocols }) {
    const refuse = (code, reason) => { say({ event: 'refused', client: identity, code, reason }); reject(code, reason); };
    const status = settings.refuse;
    if (status) return refuse(status, 'as told');
    if (settings.passwords !== null && (password === undefined || settings.passwords[identity] !== password.toString('utf8'))) {
        return refuse(401, 'Unauthorized');
    }
    if (settings.clientCertificate && request.socket.getPeerCertificate().subject?.CN !== identity) return refuse(401, 'Certificate of another');
    if (!settings.protocols.some((p) => protocols.has(p))) return accept({}, false);
    return accept();
}

const commands = {
    set: ({ set }) => Object.assign(settings, set),
    raw: ({ client, raw }) => clients.get(client)._ws.send(raw), // past the validator and past the queue of calls: for what a CSMS should not do
    close: ({ client, close }) => clients.get(client)._ws.close(close.code ?? 1001, close.reason ?? ''), // its own close drops the socket when calls wait
    terminate: ({ client }) => clients.get(client)._ws.terminate(),
    freeze: ({ client }) => clients.get(client)._ws.pause(), // half-open: reads nothing more, pings included
    call: async ({ client, call, payload }) => {
        if (!clients.has(client)) throw Error(`${client} is not connected`);
        return clients.get(client).call(call, payload);
    },
};

async function obey(line) {
    const command = JSON.parse(line);
    const verb = Object.keys(commands).find((name) => name in command);
    try {
        const payload = await commands[verb](command);
        say({ event: 'done', id: command.id, payload: command.call ? payload : {} });
    } catch (error) {
        say({ event: 'failed', id: command.id, ...words(error) });
    }
}

async function main() {
    const server = new RPCServer({
        protocols: settings.protocols, strictMode: true, callTimeoutMs: settings.callTimeoutMs, pingIntervalMs: settings.pingIntervalMs,
        strictModeValidators: settings.schemas ? [createValidator('ocpp2.1', schemasOf(settings.schemas))] : [],
    });
    server.auth(authorise);
    server.on('client', admit);
    const tls = settings.tls && {
        cert: fs.readFileSync(settings.tls.cert), key: fs.readFileSync(settings.tls.key), minVersion: 'TLSv1.2',
        ...(settings.tls.ca ? { ca: fs.readFileSync(settings.tls.ca) } : {}),
        requestCert: settings.clientCertificate, rejectUnauthorized: settings.clientCertificate,
    };
    const web = tls ? https.createServer(tls) : http.createServer();
    web.on('upgrade', server.handleUpgrade);
    web.on('tlsClientError', (error) => say({ event: 'tls_error', description: error.message }));
    web.listen(settings.port, settings.host, () => say({ event: 'listening', port: web.address().port }));
    const lines = readline.createInterface({ input: process.stdin });
    lines.on('line', obey);
    lines.on('close', () => process.exit(0)); // whoever started this is gone
}

main();
