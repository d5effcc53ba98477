// The usual pick: an application on node's ari-client that originates a leg and bridges it with the caller,
// after the library's own bridge-dial example.
//
//     node app.js URL USER PASSWORD_FILE APP ENDPOINT      (URL without /ari)
'use strict';

const fs = require('fs');
const ari = require('ari-client');

const [url, user, passwordFile, app, endpoint] = process.argv.slice(2);

function ignoreGone(error) {
  if (error && !/not found/i.test(error.message)) {
    console.error(error.message);
  }
}

function forward(client, caller) {
  const leg = client.Channel();
  const bridge = client.Bridge();

  caller.on('StasisEnd', () => leg.hangup(ignoreGone));
  leg.on('ChannelDestroyed', () => caller.hangup(ignoreGone));
  leg.on('StasisEnd', () => bridge.destroy(ignoreGone));

  leg.on('StasisStart', () => {
    caller.answer((error) => {
      if (error) return ignoreGone(error);
      return bridge.create({ type: 'mixing' }, (failure) => {
        if (failure) return ignoreGone(failure);
        return bridge.addChannel({ channel: [caller.id, leg.id] }, ignoreGone);
      });
    });
  });

  leg.originate({ endpoint, app, appArgs: 'leg', originator: caller.id, timeout: 30 }, (error) => {
    if (error) caller.hangup(ignoreGone);
  });
}

ari.connect(url, user, fs.readFileSync(passwordFile, 'utf8'), (error, client) => {
  if (error) throw error;
  client.on('StasisStart', (event, channel) => {
    if (event.args[0] === 'in') forward(client, channel);
  });
  client.start(app);
});
